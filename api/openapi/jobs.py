"""Jobs, described."""

from __future__ import annotations

from typing import Final

from api.openapi.examples import JOB, OUTCOMES
from api.openapi.operation import Operation, ResponseDoc

_NO_JOB: Final = ResponseDoc(says="There is no such job, or it is not this client's.")
_GONE: Final = ResponseDoc(
    says="The job has expired, and its outcomes are gone; the orders that it made are not."
)

JOBS: Final = {
    "GET /v1/jobs/<job_id>": Operation(
        id="showJob",
        tag="Jobs",
        summary="Show how far a job is",
        description="The counts add up to `total` in every answer, and never run backwards. "
        "A client sees its own jobs, whichever of its keys they came with; with the scope `jobs:read-all`, "
        "everybody's.",
        parameters=("job_id",),
        responses={
            200: ResponseDoc(
                says="The job. Retry-After stands on it while it runs.",
                schema="Job",
                headers=("RetryAfter",),
                examples=JOB,
            ),
            404: _NO_JOB,
            410: _GONE,
        },
    ),
    "GET /v1/jobs/<job_id>/results": Operation(
        id="showResults",
        tag="Jobs",
        summary="Give a job's outcomes",
        description="The body that a 200 would have carried, byte for byte; while the job runs, the outcomes "
        "that are there. All of them are there when there is no Retry-After.",
        parameters=("job_id",),
        responses={
            200: ResponseDoc(
                says="Keyed outcomes; for a job of one order, its bare outcome once it is there.",
                schema={
                    "oneOf": [
                        {"$ref": "#/components/schemas/Outcomes"},
                        {"$ref": "#/components/schemas/Outcome"},
                    ]
                },
                headers=("RetryAfter",),
                examples=OUTCOMES,
            ),
            404: _NO_JOB,
            410: _GONE,
        },
    ),
}
