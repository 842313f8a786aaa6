"""Views of a job and its results: GET /v1/jobs/<id> (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.jobs.asked_job import job_asked_for
from api.jobs.asked_results import results_asked_for
from api.jobs.find import expired, readable_job

if TYPE_CHECKING:
    from flask import Response

    from api.context import AppContext, RequestContext


def show_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """How far a job has come: now, when it is done or has changed, or as a stream of events."""
    response = job_asked_for(app, context, readable_job(app, context, job_id))
    if response is None:
        # It says why, if it still knows.
        readable_job(app, context, job_id)
        raise expired()
    return response


def show_results(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """The keyed outcomes that are there, or some of them: when the job is done, the very bytes of a 200."""
    return results_asked_for(app, readable_job(app, context, job_id))
