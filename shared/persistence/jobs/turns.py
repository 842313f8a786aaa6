"""Turns: the slices of an ordered job are settled one after the other, each once all before it are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import text

from shared.persistence.core.database import autocommit, transaction

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from sqlalchemy import Engine

_TURNS_MOST: Final = 1_000
"""Slices that one sweep makes due: one of each of so many jobs."""

_NEXT = text("""
    SELECT DISTINCT ON (job_id) id, queue FROM slices
    WHERE job_id = ANY(CAST(:job_ids AS uuid[])) AND closed_at IS NULL ORDER BY job_id, first_position
""")
# SKIP LOCKED: a worker has it in hand, and so it needs no message.
_NOTICE = text("""
    UPDATE slices SET next_dispatch_at = now() + make_interval(secs => :after_seconds)
    WHERE id IN (
        SELECT id FROM slices
        WHERE closed_at IS NULL AND next_dispatch_at IS NULL AND id IN (
            SELECT turn.id
            FROM jobs CROSS JOIN LATERAL (
                SELECT id, next_dispatch_at FROM slices
                WHERE job_id = jobs.id AND closed_at IS NULL ORDER BY first_position LIMIT 1
            ) AS turn
            WHERE jobs.ordered AND jobs.finished_at IS NULL AND turn.next_dispatch_at IS NULL
            LIMIT :most
        )
        FOR UPDATE SKIP LOCKED
    )
""")


class NextSlice(NamedTuple):
    """A slice whose turn has come, and which queue carries it."""

    id: int
    queue: str


def next_slices(engine: Engine, job_ids: Collection[UUID]) -> list[NextSlice]:
    """The first open slice of each of these jobs that has one. Raises PersistenceError."""
    with autocommit(engine) as connection:
        rows = connection.execute(_NEXT, {"job_ids": list(job_ids)}).all()
    return [NextSlice(row.id, row.queue) for row in rows]


def notice_turns(engine: Engine, dispatch_after_seconds: float) -> int:
    """Have slices whose turn has come dispatched in so many seconds if they are still open; gives how many.

    Whoever closed the slice before them dispatched them at once, unless it died or the broker was away.
    Raises PersistenceError.
    """
    wanted = {"after_seconds": dispatch_after_seconds, "most": _TURNS_MOST}
    with transaction(engine) as connection:
        return connection.execute(_NOTICE, wanted).rowcount
