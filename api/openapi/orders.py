"""Orders, described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from api.openapi.examples import COMPLETION_SENT, JOB, ORDER_SENT, ORDERS_SENT, OUTCOME, OUTCOMES
from api.openapi.operation import Body, Operation, ResponseDoc
from shared.schemas.batch_options import BatchOptionsQuery
from shared.schemas.lists.orders import OrderListQuery

if TYPE_CHECKING:
    from shared.settings import Settings

_CREATING: Final = ("Prefer", "IdempotencyKey", "ContentEncoding")
_ACCEPTED: Final = ResponseDoc(
    says="The batch is accepted and durable, and not all outcomes are there yet: ask its job for them. An "
    "order that may still be created is never answered `no`.",
    schema="Job",
    headers=("Location", "RetryAfter", "PreferenceApplied", "IdempotentReplayed"),
    examples=JOB,
)
_ONE_OUTCOME: Final = ResponseDoc(
    says="What became of the order. A rejected one is a 200 too: `status` tells.",
    schema="Outcome",
    headers=("Location", "PreferenceApplied", "IdempotentReplayed"),
    examples=OUTCOME,
)


def _order_list(settings: Settings) -> OrderListQuery:
    return OrderListQuery(
        zone=ZoneInfo(settings.organisation_timezone),
        page_max=settings.orders_page_max,
        offset_max=settings.orders_offset_max,
    )


def _batch_options(settings: Settings) -> BatchOptionsQuery:
    return BatchOptionsQuery(zone=ZoneInfo(settings.organisation_timezone))


ORDERS: Final = {
    "POST /v1/orders": Operation(
        id="createOrders",
        tag="Orders",
        summary="Create a batch of orders",
        description="Takes many orders at once, each under a key of your own, and answers with an outcome "
        "under each key. One order's rejection never touches another's success. Every batch becomes a job: "
        "the answer is 200 with the outcomes when they are all there in time, else 202 with the job.",
        parameters=_CREATING,
        query=_batch_options,
        body=Body(
            schema="Batch",
            says="One JSON object of orders; or JSON lines, each with one such object.",
            by_line=True,
            examples=ORDERS_SENT,
        ),
        responses={
            200: ResponseDoc(
                says="The outcome of every order. Rejected ones are in it: `status` tells.",
                schema="Outcomes",
                headers=("Location", "PreferenceApplied", "IdempotentReplayed"),
                examples=OUTCOMES,
            ),
            202: _ACCEPTED,
        },
    ),
    "GET /v1/orders": Operation(
        id="listOrders",
        tag="Orders",
        summary="List orders",
        description="The orders that were made, newest first, a page at a time. A key that is limited to "
        "markets sees those of its markets.",
        parameters=("PreferStrict",),
        query=_order_list,
        responses={
            200: ResponseDoc(says="A page of orders.", schema="OrderList", headers=("PreferenceApplied",)),
        },
    ),
    "POST /v1/order": Operation(
        id="createOrder",
        tag="Orders",
        summary="Create one order",
        description="One order, on the same path through a job; answered with its bare outcome.",
        parameters=_CREATING,
        body=Body(schema="Order", says="One order.", examples=ORDER_SENT),
        responses={200: _ONE_OUTCOME, 202: _ACCEPTED},
    ),
    "POST /v1/order/<int:number>": Operation(
        id="completeOrder",
        tag="Orders",
        summary="Complete a prepared order",
        description="Completes what `createOnly` prepared: stock is taken now, what is missing by now is "
        "back-ordered, and the order may split. May be called again to add payment details. An unknown "
        "number is an outcome too: `no`, with a message.",
        parameters=("number", *_CREATING),
        body=Body(
            schema="Completion", says="What to complete it with; may be empty.", examples=COMPLETION_SENT
        ),
        responses={
            200: _ONE_OUTCOME,
            202: _ACCEPTED,
            404: ResponseDoc(says="The path names no order: what stands there is not a number."),
        },
    ),
}
