"""Jobs, described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from api.openapi.examples import JOB, OUTCOMES
from api.openapi.operation import Body, Operation, ResponseDoc
from api.web.media_type import CSV, EVENTS, LINES
from shared.schemas.lists.jobs import JobListQuery
from shared.schemas.lists.results import ResultsQuery

if TYPE_CHECKING:
    from shared.schemas.openapi.fields import JsonSchema
    from shared.settings import Settings

_NO_JOB: Final = ResponseDoc(says="There is no such job, or it is not this client's.")
_GONE: Final = ResponseDoc(
    says="The job has expired or was deleted, and its outcomes are gone; the orders that it made are not."
)
_OUTCOMES: Final[JsonSchema] = {
    "oneOf": [{"$ref": "#/components/schemas/Outcomes"}, {"$ref": "#/components/schemas/Outcome"}]
}
_EVENTS: Final = (
    "Server-sent events: `progress` and, at the end, `done`, each with the job as `data` and an `id`; a "
    "comment every 15 seconds. A stream lasts `followSecondsMax` at most: come again with `Last-Event-ID`, "
    "as a browser's EventSource does by itself. 503 where too many follow already."
)
_ALSO_AS: Final = {
    LINES: "A line for each outcome: the outcome, with its `key` and its `position` in the batch.",
    CSV: "A table of errors for people: a row for each, with key, code, reason, field (counted from 1), "
    "message, the customer's name, e-mail and country, and the line's SKU. UTF-8 with a byte order mark; "
    "cells that a spreadsheet would run have a ' before them.",
}


def _results(settings: Settings) -> ResultsQuery:
    return ResultsQuery(max_orders=settings.max_orders)


def _job_list(settings: Settings) -> JobListQuery:
    return JobListQuery(zone=ZoneInfo(settings.organisation_timezone))


JOBS: Final = {
    "GET /v1/jobs": Operation(
        id="listJobs",
        tag="Jobs",
        summary="List jobs",
        description="A page of the client's jobs, newest first; with the scope `jobs:read-all`, of "
        "everybody's. Parameters choose some of them. `next` and Link say where older ones are.",
        query=_job_list,
        responses={200: ResponseDoc(says="A page of jobs.", schema="JobList", headers=("Link",))},
    ),
    "POST /v1/jobs/<job_id>/cancel": Operation(
        id="cancelJob",
        tag="Jobs",
        summary="Cancel a job",
        description="What is not decided yet is -7, `cancelled`, at once; what a worker has in hand is "
        "finished, and what was decided stays. Asked again, or of a job that is done, it changes nothing.",
        parameters=("job_id",),
        responses={
            200: ResponseDoc(
                says="The job: cancelled, or cancelling while workers finish what they have in hand.",
                schema="Job",
                headers=("RetryAfter",),
            ),
            404: _NO_JOB,
            410: _GONE,
        },
    ),
    "POST /v1/jobs/<job_id>/retry": Operation(
        id="retryJob",
        tag="Jobs",
        summary="Try rejected orders of a job again",
        description="A new job of orders that were rejected, under the same keys: as they were sent, or "
        "corrected. A key whose order was made, or that another retry has under way or has made, is refused, "
        "so that no order is made twice this way.",
        parameters=("job_id", "Prefer", "IdempotencyKey", "ContentEncoding"),
        body=Body(schema="Retry", says="Which orders; `{}` for those that are retryable."),
        responses={
            200: ResponseDoc(
                says="The outcome of every order, as for a batch; for a job of one order, its bare outcome.",
                schema=_OUTCOMES,
                headers=("Location", "PreferenceApplied", "IdempotentReplayed"),
            ),
            202: ResponseDoc(
                says="The new job.",
                schema="Job",
                headers=("Location", "RetryAfter", "PreferenceApplied", "IdempotentReplayed"),
            ),
            404: _NO_JOB,
            409: ResponseDoc(
                says="The job is not done, has nothing to retry, or a key cannot be tried again, which `msg` "
                "names; or the Idempotency-Key is in use at this moment.",
                headers=("RetryAfter",),
            ),
            410: ResponseDoc(
                says="The job has expired or was deleted; or what was sent is gone, and no orders were sent."
            ),
        },
    ),
    "DELETE /v1/jobs/<job_id>": Operation(
        id="deleteJob",
        tag="Jobs",
        summary="Delete a job that is done",
        description="What was sent and its outcomes go at once; the job is 410 from then on. Its orders "
        "stay, and its Idempotency-Key stays in use.",
        parameters=("job_id",),
        responses={
            204: ResponseDoc(says="It is deleted.", schema=None),
            404: _NO_JOB,
            409: ResponseDoc(says="The job is not done.", headers=("RetryAfter",)),
            410: _GONE,
        },
    ),
    "GET /v1/jobs/<job_id>": Operation(
        id="showJob",
        tag="Jobs",
        summary="Show how far a job is",
        description="The counts add up to `total` in every answer, and never run backwards. "
        "A client sees its own jobs, whichever of its keys they came with; with the scope `jobs:read-all`, "
        "everybody's.",
        parameters=("job_id", "IfNoneMatch", "PreferWait", "LastEventId"),
        responses={
            200: ResponseDoc(
                says="The job. Retry-After stands on it while it runs.",
                schema="Job",
                headers=("RetryAfter", "ETag", "PreferenceApplied"),
                also_as={EVENTS: _EVENTS},
                examples=JOB,
            ),
            204: ResponseDoc(
                says="The stream has ended before, with the event whose id is sent.", schema=None
            ),
            304: ResponseDoc(
                says="The job has not changed.", schema=None, headers=("ETag", "PreferenceApplied")
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
        "that are there, with `Ordermill-Complete: false`. Parameters choose some of them. As JSON, as lines "
        "of JSON or, for people, as CSV: `Accept` says which. Sent in pieces, compressed where the client "
        "takes gzip.",
        parameters=("job_id",),
        query=_results,
        responses={
            200: ResponseDoc(
                says="Keyed outcomes; for a job of one order, its bare outcome once it is there.",
                schema=_OUTCOMES,
                headers=("Complete", "RetryAfter", "Link"),
                also_as=_ALSO_AS,
                examples=OUTCOMES,
            ),
            404: _NO_JOB,
            410: ResponseDoc(
                says="The job has expired, and its outcomes are gone; the orders that it made are not. Or "
                "what was sent is gone, which `include=order` asks for."
            ),
        },
    ),
}
