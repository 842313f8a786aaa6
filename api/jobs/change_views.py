"""Views that change a job: it is cancelled, or deleted when it is done (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from api.jobs.cancel import cancel
from api.jobs.find import own_job
from api.jobs.responses import job_shown, retry_after
from api.jobs.versions import version_of
from api.web.errors import ApiError
from shared.persistence.jobs.delete import delete_job
from shared.persistence.jobs.progress import find_job

if TYPE_CHECKING:
    from api.context import AppContext, RequestContext


def cancel_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """Cancel what is not decided, and answer with the job; again, or of a done one, nothing changes."""
    job = own_job(app, context, job_id)
    if not job.done:
        cancel(app.engine, job.id)
        job = find_job(app.engine, job.id) or job
    return job_shown(app.memory_budget, version_of(job))


def delete_done_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """Delete what was sent and its outcomes; the orders stay."""
    job = own_job(app, context, job_id)
    if not job.done or not delete_job(app.engine, job.id):
        raise ApiError(
            409,
            "The job is not done; cancel it first, or delete it when it is done.",
            headers=retry_after(job),
        )
    return Response(status=204)
