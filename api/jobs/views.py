"""Views of a job and its results: GET /v1/jobs/<id> (contract §5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from api.jobs.asked_results import results_asked_for
from api.jobs.responses import job_shown
from api.middleware.auth import may_read_job
from api.web.errors import ApiError
from shared.persistence.jobs.progress import find_job

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response

    from api.context import AppContext, RequestContext
    from shared.domain.job import Job

# The one way that this API writes an id; UUID() itself would also take braces and URNs.
_TIMED = 7  # UUIDv7 begins with the milliseconds since 1970
_DAY_MS = 24 * 3600 * 1000
_JOB_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def show_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """How far a job has come."""
    return job_shown(app.memory_budget, _own_job(app, context, job_id))


def show_results(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """The keyed outcomes that are there, or some of them: when the job is done, the very bytes of a 200."""
    return results_asked_for(app, _own_job(app, context, job_id))


def _own_job(app: AppContext, context: RequestContext, job_id: str) -> Job:
    job = find_job(app.engine, UUID(job_id)) if _JOB_ID.fullmatch(job_id) else None
    # The same answers for somebody else's job: that it exists is nobody's business.
    if job is None or not may_read_job(context.caller, job.client_id):
        if _is_past(job_id, app.settings.retention_days, app.clock()):
            raise expired()
        raise ApiError(404, "There is no job of this id for this client; see the Location of its batch.")
    if job.is_over(app.clock()):
        raise expired()
    context.job_id = job.id
    return job


def _is_past(job_id: str, retention_days: int, now: datetime) -> bool:
    """Whether a job of this id, which says when it was made, would have expired by now."""
    if not _JOB_ID.fullmatch(job_id) or UUID(job_id).version != _TIMED:
        return False
    made_at_ms = UUID(job_id).int >> 80
    return made_at_ms + retention_days * _DAY_MS <= now.timestamp() * 1000


def expired() -> ApiError:
    """The error of a job that has expired."""
    return ApiError(410, "The job has expired, and its outcomes are gone; the orders that it made are not.")
