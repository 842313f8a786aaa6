"""Pruning: jobs that nobody can ask for any more are deleted. Their orders stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, text

from shared.domain.job import KEPT_AFTER_LAST_OUTCOME
from shared.persistence.core.database import transaction
from shared.persistence.jobs.ended_jobs import ended_jobs

_STILL_READ: Final = timedelta(minutes=5)
"""How much longer the rows stay: who has just found a job in time finds its outcomes too."""

_PRUNE = text(
    ended_jobs("expires_at <= now() - CAST(:still_read AS interval)", oldest="expires_at")  # noqa: S608 - our own text
    + "DELETE FROM jobs WHERE id IN (SELECT id FROM chosen)"
)


def prune_jobs(engine: Engine, most: int) -> int:
    """Delete expired jobs with their slices, in one transaction; gives how many jobs.

    So many that they have about ``most`` slices together, and at least one if there is any: a small
    transaction holds few locks, and not for long. Raises PersistenceError.
    """
    names = {"most": most, "still_read": _STILL_READ, "after_last": KEPT_AFTER_LAST_OUTCOME + _STILL_READ}
    with transaction(engine) as connection:
        return connection.execute(_PRUNE, names).rowcount
