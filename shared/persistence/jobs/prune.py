"""Pruning: jobs that nobody can ask for any more are deleted. Their orders stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, text

from shared.domain.job import KEPT_AFTER_LAST_OUTCOME
from shared.persistence.core.database import transaction

_STILL_READ: Final = timedelta(minutes=5)
"""How much longer the rows stay: who has just found a job in time finds its outcomes too."""

# An undecided slice keeps its job, however old: what was accepted is not lost. A job has one slice or
# thousands, so it is these that bound a transaction: the jobs before the bound is reached, so at least one.
_PRUNE = text("""
    WITH expired AS MATERIALIZED (
        SELECT id, expires_at FROM jobs
        WHERE expires_at <= now() - CAST(:still_read AS interval)
        AND NOT EXISTS (
            SELECT FROM slices WHERE job_id = jobs.id
            AND (closed_at IS NULL OR closed_at > now() - CAST(:after_last AS interval))
        )
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    ), counted AS (
        SELECT id, own, sum(own) OVER (ORDER BY expires_at, id) AS so_far
        FROM expired
        CROSS JOIN LATERAL (SELECT count(*) AS own FROM slices WHERE job_id = expired.id) AS its_slices
    )
    DELETE FROM jobs WHERE id IN (SELECT id FROM counted WHERE so_far - own < :most)
""")


def prune_jobs(engine: Engine, most: int) -> int:
    """Delete expired jobs with their slices, in one transaction; gives how many jobs.

    So many that they have about ``most`` slices together, and at least one if there is any: a small
    transaction holds few locks, and not for long. Raises PersistenceError.
    """
    names = {"most": most, "still_read": _STILL_READ, "after_last": KEPT_AFTER_LAST_OUTCOME + _STILL_READ}
    with transaction(engine) as connection:
        return connection.execute(_PRUNE, names).rowcount
