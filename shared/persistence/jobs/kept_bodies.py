"""Retention of bodies: what was sent goes some days after a job's end; outcomes and orders stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, text

from shared.persistence.core.database import transaction

# An undecided slice keeps all of its job's bodies, however old. The jobs before the bound is reached, so at
# least one: a job has one slice or thousands.
_EMPTY = text("""
    WITH ended AS MATERIALIZED (
        SELECT id, created_at FROM jobs
        WHERE bodies_kept AND created_at <= now() - CAST(:kept AS interval)
        AND NOT EXISTS (
            SELECT FROM slices WHERE job_id = jobs.id
            AND (closed_at IS NULL OR closed_at > now() - CAST(:kept AS interval))
        )
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), counted AS (
        SELECT id, own, sum(own) OVER (ORDER BY created_at, id) AS so_far
        FROM ended
        CROSS JOIN LATERAL (SELECT count(*) AS own FROM slices WHERE job_id = ended.id) AS its_slices
    ), chosen AS (
        SELECT id FROM counted WHERE so_far - own < :most
    ), emptied AS (
        UPDATE slices SET body = NULL FROM chosen WHERE slices.job_id = chosen.id AND body IS NOT NULL
    )
    UPDATE jobs SET bodies_kept = false FROM chosen WHERE jobs.id = chosen.id
""")


def empty_bodies(engine: Engine, days: int, most: int) -> int:
    """Empty the slices of jobs that ended ``days`` ago, in one transaction; gives how many jobs.

    So many that they have about ``most`` slices together, and at least one if there is any. Raises
    PersistenceError.
    """
    with transaction(engine) as connection:
        return connection.execute(_EMPTY, {"kept": timedelta(days=days), "most": most}).rowcount
