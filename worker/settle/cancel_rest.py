"""The rest of a job that has cancelled itself: whoever closed the slice that was too much closes it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Engine

from shared.domain.rejections import cancelled
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.cancel import cancel_rest
from shared.schemas.outcome import outcome_bytes
from worker.settle.close_slices import SliceReport

log = structlog.get_logger()


def cancel_rest_of_stopped(engine: Engine, reports: Sequence[SliceReport]) -> None:
    """Close what nobody holds of the jobs that were stopped with these slices.

    Nothing is raised: whoever takes one of their slices decides nothing of it, and closes it so.
    """
    for job_id in sorted({report.job_id for report in reports if report.stops_job}):
        log.info("job_cancelled_itself", job_id=str(job_id))
        try:
            cancel_rest(engine, job_id, outcome_bytes(cancelled()))
        except PersistenceError as error:
            log.warning("rest_not_cancelled", job_id=str(job_id), reason=str(error))
