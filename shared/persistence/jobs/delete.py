"""Deletion of a finished job: what was sent and its outcomes go at once, its row when it expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from shared.persistence.core.database import transaction

if TYPE_CHECKING:
    from uuid import UUID

_DELETE = text("""
    UPDATE jobs SET deleted_at = COALESCE(deleted_at, now()), bodies_kept = false
    WHERE id = :id AND finished_at IS NOT NULL
""")
_EMPTY = text("DELETE FROM slices WHERE job_id = :id")


def delete_job(engine: Engine, job_id: UUID) -> bool:
    """Delete a job that is finished, and tell whether it is. Its Idempotency-Key stays in use.

    Raises PersistenceError.
    """
    with transaction(engine) as connection:
        if connection.execute(_DELETE, {"id": job_id}).rowcount == 0:
            return False
        connection.execute(_EMPTY, {"id": job_id})
        return True
