"""Retention of bodies: what was sent goes some days after a job's end; outcomes and orders stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, text

from shared.persistence.core.database import transaction
from shared.persistence.jobs.ended_jobs import ended_jobs
from shared.persistence.jobs.stored_outcomes import write_out

_CHOOSE = text(
    ended_jobs("bodies_kept AND created_at <= now() - CAST(:after_last AS interval)", oldest="created_at")  # noqa: S608 - our own text
    + "SELECT id FROM chosen"
)
# A job's bodies are kept or emptied together.
_EMPTY = text("""
    WITH emptied AS (
        UPDATE slices SET body = NULL WHERE job_id = ANY(CAST(:job_ids AS uuid[])) AND body IS NOT NULL
    )
    UPDATE jobs SET bodies_kept = false WHERE id = ANY(CAST(:job_ids AS uuid[]))
""")


def empty_bodies(engine: Engine, days: int, most: int) -> int:
    """Empty the slices of jobs that ended ``days`` ago, in one transaction; gives how many jobs.

    So many that they have about ``most`` slices together, and at least one if there is any. Raises
    PersistenceError.
    """
    with transaction(engine) as connection:
        chosen = {"after_last": timedelta(days=days), "most": most}
        job_ids = list(connection.execute(_CHOOSE, chosen).scalars())
        if job_ids:
            write_out(connection, job_ids)
            connection.execute(_EMPTY, {"job_ids": job_ids})
        return len(job_ids)
