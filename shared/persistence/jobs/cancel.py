"""Cancellation: what no worker has in hand is closed at once; what one has is finished, or given up by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text

from shared.persistence.core.database import binary_rows, transaction
from shared.persistence.jobs.close import ClosedSlice, close_slices

if TYPE_CHECKING:
    from uuid import UUID

# Committed before the first slice is looked at: whoever claims one later sees it, and decides nothing.
_REQUEST = text("""
    UPDATE jobs SET cancel_requested_at = COALESCE(cancel_requested_at, now())
    WHERE id = :id AND finished_at IS NULL
""")
# SKIP LOCKED: what a worker holds is being decided, and a sweeper that holds one is soon done with it.
_FREE = """
    WITH free AS (
        SELECT id, octet_length(body) AS size FROM slices
        WHERE job_id = %(job_id)s AND closed_at IS NULL
        LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), fitting AS (
        SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM free
    )
    SELECT slices.id, order_count, jobs.total, body
    FROM fitting JOIN slices ON slices.id = fitting.id JOIN jobs ON jobs.id = slices.job_id
    WHERE before < %(most_bytes)s ORDER BY slices.id
"""
_SLICES_AT_ONCE = 500


def request_cancel(engine: Engine, job_id: UUID) -> None:
    """Have nothing of a job decided that no worker has in hand yet. Raises PersistenceError.

    A job that is finished stays as it is, and so does the moment of the first request.
    """
    with transaction(engine) as connection:
        connection.execute(_REQUEST, {"id": job_id})


def cancel_free_slices(
    engine: Engine, job_id: UUID, outcomes_of: Callable[[bytes], bytes], most_bytes: int
) -> int:
    """Close some slices of a job that nobody holds, about ``most_bytes`` of them; gives how many those were.

    ``outcomes_of`` makes of a slice's body, {key: order, …}, its outcomes. Raises PersistenceError.
    """
    with transaction(engine) as connection:
        closed = [
            ClosedSlice(
                id=row.id,
                job_id=job_id,
                order_count=row.order_count,
                job_total=row.total,
                outcomes=outcomes_of(row.body),
                ok_count=0,
                codes={},
                cancelled_count=row.order_count,
            )
            for row in _free(connection, job_id, most_bytes)
        ]
        if closed:
            close_slices(connection, closed)
        return len(closed)


def _free(connection: Connection, job_id: UUID, most_bytes: int) -> list[Any]:
    wanted = {"job_id": job_id, "most": _SLICES_AT_ONCE, "most_bytes": most_bytes}
    return binary_rows(connection, _FREE, wanted)
