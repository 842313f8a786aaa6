"""The job that a path names: its client's own, or one that the key may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from api.middleware.auth import may_read_job
from api.web.errors import ApiError
from shared.persistence.jobs.progress import find_job

if TYPE_CHECKING:
    from datetime import datetime

    from api.context import AppContext, RequestContext
    from shared.domain.job import Job

# The one way that this API writes an id; UUID() itself would also take braces and URNs.
_TIMED = 7  # UUIDv7 begins with the milliseconds since 1970
_DAY_MS = 24 * 3600 * 1000
_JOB_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def readable_job(app: AppContext, context: RequestContext, job_id: str) -> Job:
    """The job of this id, if the key may read it. Raises ApiError (404, 410)."""
    return _found(app, context, job_id, own=False)


def own_job(app: AppContext, context: RequestContext, job_id: str) -> Job:
    """The same, if it is the client's own: who may read everybody's changes nobody's."""
    return _found(app, context, job_id, own=True)


def _found(app: AppContext, context: RequestContext, job_id: str, *, own: bool) -> Job:
    job = find_job(app.engine, UUID(job_id)) if _JOB_ID.fullmatch(job_id) else None
    # The same answers for somebody else's job: that it exists is nobody's business.
    if job is None or not _may(context, job, own=own):
        if _is_past(job_id, app.settings.retention_days, app.clock()):
            raise expired()
        raise ApiError(404, "There is no job of this id for this client; see the Location of its batch.")
    check_not_gone(job, app.clock())
    context.job_id = job.id
    return job


def check_not_gone(job: Job, now: datetime) -> None:
    """Raise ApiError (410) for a job that was deleted or has expired."""
    if job.deleted_at is not None:
        raise ApiError(410, "The job was deleted, and its outcomes with it; the orders that it made are not.")
    if job.is_over(now):
        raise expired()


def _may(context: RequestContext, job: Job, *, own: bool) -> bool:
    return context.caller.client_id == job.client_id if own else may_read_job(context.caller, job.client_id)


def _is_past(job_id: str, retention_days: int, now: datetime) -> bool:
    """Whether a job of this id, which says when it was made, would have expired by now."""
    if not _JOB_ID.fullmatch(job_id) or UUID(job_id).version != _TIMED:
        return False
    made_at_ms = UUID(job_id).int >> 80
    return made_at_ms + retention_days * _DAY_MS <= now.timestamp() * 1000


def expired() -> ApiError:
    """The error of a job that has expired."""
    return ApiError(410, "The job has expired, and its outcomes are gone; the orders that it made are not.")
