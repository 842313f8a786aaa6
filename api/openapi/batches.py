"""Batches of any kind, described: what all operations have that send one, or one element of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from api.openapi.examples import JOB, OUTCOME, OUTCOMES
from api.openapi.operation import Body, Operation, ResponseDoc
from shared.clock import utc_now
from shared.schemas.batch_options import BatchOptionsQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.openapi.operation import Example
    from shared.settings import Settings

_HEADERS: Final = ("Prefer", "IdempotencyKey", "ContentEncoding")
_ACCEPTED: Final = ResponseDoc(
    says="The batch is accepted and durable, and not all outcomes are there yet: ask its job for them. An "
    "order that may still be created is never answered `no`.",
    schema="Job",
    headers=("Location", "RetryAfter", "PreferenceApplied", "IdempotentReplayed"),
    examples=JOB,
)
_ALL_OUTCOMES: Final = ResponseDoc(
    says="The outcome of every element. Rejected ones are in it: `status` tells.",
    schema="Outcomes",
    headers=("Location", "PreferenceApplied", "IdempotentReplayed"),
    examples=OUTCOMES,
)
_ONE_OUTCOME: Final = ResponseDoc(
    says="What became of the order. A rejected one is a 200 too: `status` tells.",
    schema="Outcome",
    headers=("Location", "PreferenceApplied", "IdempotentReplayed"),
    examples=OUTCOME,
)
_NO_NUMBER: Final = ResponseDoc(says="The path names no order: what stands there is not a number.")


def batch_operation(
    operation_id: str,
    *,
    summary: str,
    description: str,
    elements: str,
    schema: str,
    sent: Mapping[str, Example],
    options: type[BatchOptionsQuery] = BatchOptionsQuery,
) -> Operation:
    """A keyed batch of ``elements``, in the plural; ``schema`` is the component that it is."""

    def query(settings: Settings) -> BatchOptionsQuery:
        return options(zone=ZoneInfo(settings.organisation_timezone), now=utc_now())

    return Operation(
        id=operation_id,
        tag="Orders",
        summary=summary,
        description=description,
        parameters=_HEADERS,
        query=query,
        body=Body(
            schema=schema,
            says=f"One JSON object of {elements}; or JSON lines, each with one such object.",
            by_line=True,
            examples=sent,
        ),
        responses={200: _ALL_OUTCOMES, 202: _ACCEPTED},
    )


def one_operation(
    operation_id: str, *, summary: str, description: str, body: Body, numbered: bool = False
) -> Operation:
    """One element; ``numbered``: of the order whose number the path has."""
    missing = {404: _NO_NUMBER} if numbered else {}
    return Operation(
        id=operation_id,
        tag="Orders",
        summary=summary,
        description=description,
        parameters=("number", *_HEADERS) if numbered else _HEADERS,
        body=body,
        responses={200: _ONE_OUTCOME, 202: _ACCEPTED, **missing},
    )
