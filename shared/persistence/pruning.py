"""Letting go of jobs that nobody can ask for any more. Their orders stay."""

from __future__ import annotations

from sqlalchemy import Engine, text

from shared.persistence.database import transaction

# An undecided slice keeps its job, however old: what was accepted is not lost.
_PRUNE = text(
    "DELETE FROM jobs WHERE id IN ("
    " SELECT id FROM jobs WHERE expires_at <= now()"
    " AND NOT EXISTS (SELECT FROM slices WHERE slices.job_id = jobs.id AND slices.closed_at IS NULL)"
    " ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)"
)


def prune_jobs(engine: Engine, most: int) -> int:
    """Delete at most ``most`` expired jobs with their slices, in one transaction; gives how many.

    Small batches keep the transaction short and the locks few. Raises PersistenceError.
    """
    with transaction(engine) as connection:
        return connection.execute(_PRUNE, {"most": most}).rowcount
