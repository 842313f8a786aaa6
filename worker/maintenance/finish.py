"""The net below those who close slices: jobs that ended without anybody finishing them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Engine

from shared.persistence.jobs.close import finish_ended_jobs, list_ended_jobs

log = structlog.get_logger()

LOOKED_AT_ONCE: Final = 10_000
"""Unfinished jobs that one turn looks at: some hundredths of a second."""

_FIRST: Final = UUID(int=0)


class FinishEndedJobs:
    """Looks at some unfinished jobs each time it is called, in turn, and finishes what has ended."""

    def __init__(self, engine: Engine, at_once: int = LOOKED_AT_ONCE) -> None:
        self._engine = engine
        self._at_once = at_once
        self._after = _FIRST

    def __call__(self) -> int:
        """Give how many it finished. Raises PersistenceError."""
        ended = list_ended_jobs(self._engine, self._after, self._at_once)
        self._after = ended.after or _FIRST
        finished = finish_ended_jobs(self._engine, ended.job_ids) if ended.job_ids else []
        if finished:
            log.info("jobs_finished", jobs=len(finished))
        return len(finished)
