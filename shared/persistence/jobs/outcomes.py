"""A job's outcomes, piece by piece: whoever sends them need not hold them all, nor a connection meanwhile.

Outcomes never change once a slice is closed. So the slices that are there are listed in one statement, and
their outcomes may be read in any number of others.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from shared.persistence.core.database import autocommit
from shared.persistence.jobs.runs import runs
from shared.persistence.jobs.stored_outcomes import ONE_FOR_ALL, outcomes_of

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

# The length of what is stored apart is known without reading it. What has to be made is not longer than this.
_LIST = text(f"""
    SELECT id, order_count, size, one_for_all,
           CASE WHEN before < :first_bytes THEN outcomes END AS outcomes,
           CASE WHEN before < :first_bytes AND one_for_all THEN body END AS body
    FROM (
        SELECT *, sum(size) OVER (ORDER BY first_position) - size AS before
        FROM (
            SELECT id, order_count, first_position, outcomes, body, {ONE_FOR_ALL} AS one_for_all,
                   CASE WHEN {ONE_FOR_ALL} THEN octet_length(body) + order_count * octet_length(outcomes)
                        ELSE octet_length(outcomes) END AS size
            FROM slices WHERE job_id = :id AND closed_at IS NOT NULL
        ) AS closed
    ) AS listed
    ORDER BY first_position
""")  # noqa: S608 - our own text
_READ = text(f"""
    SELECT outcomes, CASE WHEN {ONE_FOR_ALL} THEN body END AS body
    FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY first_position
""")  # noqa: S608 - our own text


class OutcomesGoneError(Exception):
    """The job was pruned while its outcomes were being read."""


@dataclass(frozen=True, slots=True)
class OutcomeList:
    """Which outcomes are there: ``slice_ids`` in the batch's order, the bytes of each, their orders in all.

    ``first`` are the outcomes of as many slices as were read already, each a JSON object
    ``{key: outcome, …}``: the first slice's, if there is one, at least. ``exact``: the bytes are those of the
    outcomes, and not only as many as it takes to make them.
    """

    slice_ids: Sequence[int]
    sizes: Sequence[int]
    order_count: int
    first: Sequence[bytes]
    exact: bool = True

    def rest(self, piece_bytes: int) -> Iterator[list[int]]:
        """The slices that were not read yet, in runs of about so many bytes, and one slice at least."""
        return runs(self.slice_ids, self.sizes, piece_bytes, begin=len(self.first))


NO_OUTCOMES: Final = OutcomeList((), (), 0, ())
"""Those of a batch of no orders."""


def list_outcomes(engine: Engine, job_id: UUID, first_bytes: int) -> OutcomeList:
    """List the outcomes of the slices that are closed, and read those that begin within the first bytes.

    Raises PersistenceError.
    """
    # Numbers only, and compactly: a batch may have a slice for each of its orders.
    slice_ids, sizes, order_count = array("q"), array("q"), 0
    first: list[bytes] = []
    exact = True
    with autocommit(engine) as connection:
        for row in connection.execute(_LIST, {"id": job_id, "first_bytes": first_bytes}):
            slice_ids.append(row.id)
            sizes.append(row.size)
            order_count += row.order_count
            exact = exact and not row.one_for_all
            if row.outcomes is not None:
                first.append(outcomes_of(row.outcomes, row.body))
    return OutcomeList(slice_ids, sizes, order_count, first, exact)


def read_outcomes(engine: Engine, slice_ids: Sequence[int]) -> list[bytes]:
    """Read the outcomes of slices of one job, in the batch's order.

    Raises OutcomesGoneError, PersistenceError.
    """
    with autocommit(engine) as connection:
        rows = connection.execute(_READ, {"ids": list(slice_ids)}).all()
    if len(rows) < len(slice_ids):
        raise OutcomesGoneError(f"{len(slice_ids) - len(rows)} slices are not there any more")
    return [outcomes_of(row.outcomes, row.body) for row in rows]
