"""Collection of a job's outcomes (architecture §1, step 8): woken by events, sure by the database."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from api.jobs.results import outcomes_there
from shared.persistence.core.errors import TransientError
from shared.persistence.jobs.progress import find_job

if TYPE_CHECKING:
    from api.context import AppContext
    from shared.domain.job import Job
    from shared.events import Waiter
    from shared.persistence.jobs.outcomes import OutcomeList

# How long a lost event may go unnoticed.
_LOOK_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Collected:
    """The job as it was last seen, and its outcomes when all of them are there."""

    job: Job
    outcomes: OutcomeList | None


def collect(app: AppContext, waiter: Waiter, job: Job, slice_count: int, limit_seconds: float) -> Collected:
    """Wait up to ``limit_seconds`` for all outcomes of a job of ``slice_count`` slices.

    Less long where this process is to stop.

    A fault of the database does not end the wait: the promise stands, and the client can ask later.
    """
    deadline = time.monotonic() + limit_seconds
    seen, wanted = job, slice_count
    while True:
        left = max(0.0, app.shutdown.bounded(deadline) - time.monotonic())
        all_heard = waiter.wait(wanted, min(left, _LOOK_SECONDS))
        try:
            if not all_heard:
                seen = find_job(app.engine, job.id) or seen
            if all_heard or seen.done:
                found = outcomes_there(app.engine, job)
                if found.order_count == job.total:
                    return Collected(seen, found)
                # A slice was cut up, and there are more of them than were accepted: look, do not count.
                wanted = sys.maxsize
        except TransientError as error:
            _log.warning("outcomes_not_read", job_id=str(job.id), fault=str(error))
        if time.monotonic() >= app.shutdown.bounded(deadline):
            return Collected(seen, None)


def collect_again(app: AppContext, waiter: Waiter, job: Job, limit_seconds: float) -> Collected:
    """Collect a job whose events began before anybody listened; what is there already is taken at once."""
    if job.done:
        return Collected(job, outcomes_there(app.engine, job))
    return collect(app, waiter, job, sys.maxsize, limit_seconds)
