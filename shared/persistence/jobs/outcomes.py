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

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

# The length of what is stored apart is known without reading it.
_LIST = text("""
    SELECT id, order_count, octet_length(outcomes) AS size,
           CASE WHEN sum(octet_length(outcomes)) OVER (ORDER BY first_position) - octet_length(outcomes)
                     < :first_bytes
                THEN outcomes END AS outcomes
    FROM slices WHERE job_id = :id AND closed_at IS NOT NULL
    ORDER BY first_position
""")
_READ = text("SELECT outcomes FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY first_position")


class OutcomesGoneError(Exception):
    """The job was pruned while its outcomes were being read."""


@dataclass(frozen=True, slots=True)
class OutcomeList:
    """Which outcomes are there: ``slice_ids`` in the batch's order, the bytes of each, their orders in all.

    ``first`` are the outcomes of as many slices as were read already, each a JSON object
    ``{key: outcome, …}``: the first slice's, if there is one, at least.
    """

    slice_ids: Sequence[int]
    sizes: Sequence[int]
    order_count: int
    first: Sequence[bytes]

    def rest(self, piece_bytes: int) -> Iterator[list[int]]:
        """The slices that were not read yet, in runs of about so many bytes, and one slice at least."""
        return runs(self.slice_ids, self.sizes, piece_bytes, begin=len(self.first))


def runs(
    slice_ids: Sequence[int], sizes: Sequence[int], piece_bytes: int, *, begin: int = 0
) -> Iterator[list[int]]:
    """Cut slices of these sizes into runs of about so many bytes, and one slice at least."""
    run: list[int] = []
    run_bytes = 0
    for at in range(begin, len(slice_ids)):
        if run and run_bytes + sizes[at] > piece_bytes:
            yield run
            run, run_bytes = [], 0
        run.append(slice_ids[at])
        run_bytes += sizes[at]
    if run:
        yield run


NO_OUTCOMES: Final = OutcomeList((), (), 0, ())
"""Those of a batch of no orders."""


def list_outcomes(engine: Engine, job_id: UUID, first_bytes: int) -> OutcomeList:
    """List the outcomes of the slices that are closed, and read those that begin within the first bytes.

    Raises PersistenceError.
    """
    # Numbers only, and compactly: a batch may have a slice for each of its orders.
    slice_ids, sizes, order_count = array("q"), array("q"), 0
    first: list[bytes] = []
    with autocommit(engine) as connection:
        for row in connection.execute(_LIST, {"id": job_id, "first_bytes": first_bytes}):
            slice_ids.append(row.id)
            sizes.append(row.size)
            order_count += row.order_count
            if row.outcomes is not None:
                first.append(row.outcomes)
    return OutcomeList(slice_ids, sizes, order_count, first)


def read_outcomes(engine: Engine, slice_ids: Sequence[int]) -> list[bytes]:
    """Read the outcomes of slices of one job, in the batch's order.

    Raises OutcomesGoneError, PersistenceError.
    """
    with autocommit(engine) as connection:
        found = list(connection.execute(_READ, {"ids": list(slice_ids)}).scalars())
    if len(found) < len(slice_ids):
        raise OutcomesGoneError(f"{len(slice_ids) - len(found)} slices are not there any more")
    return found
