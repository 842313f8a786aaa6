"""View of jobs, GET /v1/jobs: a client's, newest first, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import request

from api.web.query import query_values, same_query
from api.web.responses import json_response
from shared.domain.scopes import JOBS_READ_ALL
from shared.persistence.jobs.list import find_jobs
from shared.schemas.lists.jobs import JobListQuery, job_filter, job_list_json

if TYPE_CHECKING:
    from flask import Response

    from api.context import AppContext, RequestContext


def list_jobs(app: AppContext, context: RequestContext) -> Response:
    """A page of the client's jobs; of everybody's where the key may read those."""
    query = JobListQuery(zone=ZoneInfo(app.settings.organisation_timezone))
    client_id = None if JOBS_READ_ALL in context.caller.scopes else context.caller.client_id
    page = find_jobs(app.engine, job_filter(query_values(query, request), client_id))
    next_ = same_query(request, after=str(page.jobs[-1].id)) if page.more else None
    headers = {} if next_ is None else {"Link": f'<{next_}>; rel="next"'}
    return json_response(app.memory_budget, job_list_json(page, next_), headers=headers)
