"""Dispatch of what comes next: whoever closes a slice of an ordered job hands out the one behind it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.slices import TakenSlice
from shared.persistence.jobs.turns import next_slices
from shared.queue.job_queue import QueueAwayError
from worker.context import WorkerContext

log = structlog.get_logger()


def dispatch_next(context: WorkerContext, closed: Sequence[TakenSlice]) -> None:
    """Dispatch the next slices of the ordered jobs among those of ``closed``.

    Nothing is raised: the sweeper notices whose turn has come.
    """
    job_ids = {taken.job_id for taken in closed if taken.options.ordered}
    if not job_ids or context.queue is None:
        return
    try:
        for following in next_slices(context.engine, job_ids):
            context.queue.dispatch([following.id], following.queue)
    except (QueueAwayError, PersistenceError) as error:
        log.warning("next_slices_not_dispatched", jobs=len(job_ids), reason=str(error))
