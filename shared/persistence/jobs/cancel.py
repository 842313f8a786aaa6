"""Cancellation: what no worker has in hand is closed at once; what one has is finished, or given up by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, text

from shared.persistence.core.database import transaction
from shared.persistence.jobs.close import ClosedSlice, close_slices
from shared.persistence.jobs.stored_outcomes import one_for_all

if TYPE_CHECKING:
    from uuid import UUID

# Committed before the first slice is looked at: whoever claims one later sees it, and decides nothing.
_REQUEST = text("""
    UPDATE jobs SET cancel_requested_at = COALESCE(cancel_requested_at, now())
    WHERE id = :id AND finished_at IS NULL
""")
# SKIP LOCKED: what a worker holds is being decided, and a sweeper that holds one is soon done with it.
_FREE = text("""
    SELECT slices.id, order_count, total FROM slices JOIN jobs ON jobs.id = job_id
    WHERE job_id = :id AND closed_at IS NULL
    LIMIT :most FOR UPDATE OF slices SKIP LOCKED
""")
_SLICES_AT_ONCE: Final = 5_000


def request_cancel(engine: Engine, job_id: UUID) -> None:
    """Have nothing of a job decided that no worker has in hand yet. Raises PersistenceError.

    A job that is finished stays as it is, and so does the moment of the first request.
    """
    with transaction(engine) as connection:
        connection.execute(_REQUEST, {"id": job_id})


def cancel_rest(engine: Engine, job_id: UUID, outcome: bytes) -> None:
    """Close all that nobody holds of a job whose cancellation is requested. Raises PersistenceError.

    ``outcome``, as JSON, is what each key is told.
    """
    # Each turn closes a slice at least, and nobody makes new ones but by cutting up what is in hand.
    while cancel_free_slices(engine, job_id, outcome):
        pass


def cancel_free_slices(engine: Engine, job_id: UUID, outcome: bytes) -> int:
    """Close slices of a job that nobody holds, thousands at once; gives how many those were, 0: none is left.

    ``outcome``, as JSON, is what each of their keys is told. What they hold is not read: it may be a hundred
    megabytes. Raises PersistenceError.
    """
    with transaction(engine) as connection:
        closed = [
            ClosedSlice(
                id=row.id,
                job_id=job_id,
                order_count=row.order_count,
                job_total=row.total,
                outcomes=one_for_all(outcome),
                ok_count=0,
                codes={},
                cancelled_count=row.order_count,
            )
            for row in connection.execute(_FREE, {"id": job_id, "most": _SLICES_AT_ONCE})
        ]
        if closed:
            close_slices(connection, closed)
        return len(closed)
