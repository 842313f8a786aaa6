"""Some of a job's outcomes, and what was sent: slices that may have them, listed at once and read in runs.

Outcomes never change once a slice is closed, so they may be read in any number of statements, and no
connection is held between them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from shared.domain.outcome import Code
from shared.persistence.core.database import autocommit
from shared.persistence.jobs.outcomes import OutcomesGoneError
from shared.persistence.jobs.runs import runs
from shared.persistence.jobs.stored_outcomes import ONE_FOR_ALL, outcomes_of

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from shared.domain.outcome_filter import OutcomeFilter

# The length of what is stored apart is known without reading it.
_LIST = text(f"""
    SELECT id, octet_length(outcomes) * CASE WHEN {ONE_FOR_ALL} THEN order_count ELSE 1 END
               + CASE WHEN :with_bodies OR {ONE_FOR_ALL} THEN COALESCE(octet_length(body), 0)
                      ELSE 0 END AS size
    FROM slices
    WHERE job_id = :id AND closed_at IS NOT NULL
      AND (CAST(:after AS integer) IS NULL OR first_position + order_count - 1 > :after)
      AND (CAST(:until AS integer) IS NULL OR first_position <= :until)
      AND CASE CAST(:ok AS boolean) WHEN true THEN ok_count > 0 WHEN false THEN ok_count < order_count
                                    ELSE true END
      AND (CAST(:code AS text) IS NULL OR codes -> :code IS NOT NULL)
    ORDER BY first_position
""")  # noqa: S608 - our own text
_READ = text(f"""
    SELECT first_position, outcomes, CASE WHEN :with_bodies OR {ONE_FOR_ALL} THEN body END AS body
    FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY first_position
""")  # noqa: S608 - our own text
_BODIES_KEPT = text("SELECT bodies_kept FROM jobs WHERE id = :id")


@dataclass(frozen=True, slots=True)
class ChosenSlices:
    """Slices, in the batch's order, that may have what is asked for, and the bytes that each takes."""

    slice_ids: Sequence[int]
    sizes: Sequence[int]
    with_bodies: bool

    def runs(self, piece_bytes: int) -> Iterator[list[int]]:
        """The slices in runs of about so many bytes, and one slice at least."""
        return runs(self.slice_ids, self.sizes, piece_bytes)


@dataclass(frozen=True, slots=True)
class DecidedSlice:
    """A slice's outcomes ``{key: outcome, …}``, and what was sent ``{key: order, …}`` if that is there."""

    first_position: int
    outcomes: bytes
    body: bytes | None


def choose_slices(engine: Engine, job_id: UUID, wanted: OutcomeFilter, *, with_bodies: bool) -> ChosenSlices:
    """List the closed slices of a job that may have outcomes which are wanted. Raises PersistenceError."""
    rejected = wanted.code is not None or wanted.reason is not None
    values = {
        "id": job_id,
        "after": wanted.after,
        "until": wanted.until,
        # What was cancelled is -7 without having been rejected.
        "code": None if wanted.code in {None, Code.GENERAL} else str(wanted.code),
        "ok": False if rejected else wanted.ok,
        "with_bodies": with_bodies,
    }
    # Numbers only, and compactly: a batch may have a slice for each of its orders.
    slice_ids, sizes = array("q"), array("q")
    with autocommit(engine) as connection:
        for row in connection.execute(_LIST, values):
            slice_ids.append(row.id)
            sizes.append(row.size)
    return ChosenSlices(slice_ids, sizes, with_bodies)


def read_slices(engine: Engine, slice_ids: Sequence[int], *, with_bodies: bool) -> list[DecidedSlice]:
    """Read slices of one job, in the batch's order. Raises OutcomesGoneError, PersistenceError."""
    with autocommit(engine) as connection:
        rows = connection.execute(_READ, {"ids": list(slice_ids), "with_bodies": with_bodies}).all()
    if len(rows) < len(slice_ids):
        raise OutcomesGoneError(f"{len(slice_ids) - len(rows)} slices are not there any more")
    return [
        DecidedSlice(
            row.first_position, outcomes_of(row.outcomes, row.body), row.body if with_bodies else None
        )
        for row in rows
    ]


def has_bodies(engine: Engine, job_id: UUID) -> bool:
    """Whether what was sent is still kept. Raises PersistenceError."""
    with autocommit(engine) as connection:
        return bool(connection.execute(_BODIES_KEPT, {"id": job_id}).scalar_one_or_none())
