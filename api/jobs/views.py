"""Views of a job and its results: GET /v1/jobs/<id> (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.jobs.asked_results import results_asked_for
from api.jobs.find import readable_job
from api.jobs.responses import job_shown

if TYPE_CHECKING:
    from flask import Response

    from api.context import AppContext, RequestContext


def show_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """How far a job has come."""
    return job_shown(app.memory_budget, readable_job(app, context, job_id))


def show_results(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """The keyed outcomes that are there, or some of them: when the job is done, the very bytes of a 200."""
    return results_asked_for(app, readable_job(app, context, job_id))
