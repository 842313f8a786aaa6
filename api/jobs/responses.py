"""Responses that tell of a job: while it runs, with the advice when to ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.web.responses import json_response
from shared.schemas.job import job_json, job_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from api.jobs.versions import JobVersion
    from api.memory_budget import MemoryBudget
    from shared.domain.job import Job

# About what a couple of worker processes decide; the advice need not be better than that.
_ORDERS_PER_SECOND: Final = 2000
_MOST_SECONDS: Final = 30


def retry_after(job: Job) -> dict[str, str]:
    """Give the Retry-After header of a job that still runs, none of one that is done."""
    if job.done:
        return {}
    return {"Retry-After": str(min(1 + job.pending // _ORDERS_PER_SECOND, _MOST_SECONDS))}


def job_accepted(budget: MemoryBudget, job: Job, headers: Mapping[str, str]) -> Response:
    """Answer 202: the batch is accepted, this is its job, and there it can be asked for."""
    accepted = {"Location": job_path(job.id), "Retry-After": "1", **retry_after(job), **headers}
    return json_response(budget, job_json(job), 202, accepted)


def job_shown(budget: MemoryBudget, version: JobVersion) -> Response:
    """Answer with the job itself."""
    return json_response(budget, version.body, headers=retry_after(version.job))
