"""Orders, described: created, completed and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from api.openapi.batches import batch_operation, one_operation
from api.openapi.examples import COMPLETION_SENT, COMPLETIONS_SENT, ORDER_SENT, ORDERS_SENT
from api.openapi.operation import Body, Operation, ResponseDoc
from api.openapi.order_steps import STEPS
from shared.schemas.batch_options import OrderOptionsQuery
from shared.schemas.lists.changes import ChangesQuery
from shared.schemas.lists.orders import OrderListQuery

if TYPE_CHECKING:
    from shared.settings import Settings


def _changes(settings: Settings) -> ChangesQuery:
    return ChangesQuery(page_max=settings.orders_page_max)


def _order_list(settings: Settings) -> OrderListQuery:
    return OrderListQuery(
        zone=ZoneInfo(settings.organisation_timezone),
        page_max=settings.orders_page_max,
        offset_max=settings.orders_offset_max,
        max_key_chars=settings.max_key_chars,
    )


ORDERS: Final = {
    "POST /v1/orders": batch_operation(
        "createOrders",
        summary="Create a batch of orders",
        description="Takes many orders at once, each under a key of your own, and answers with an outcome "
        "under each key. One order's rejection never touches another's success. Every batch becomes a job: "
        "the answer is 200 with the outcomes when they are all there in time, else 202 with the job.",
        elements="orders",
        schema="Batch",
        sent=ORDERS_SENT,
        options=OrderOptionsQuery,
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
    "GET /v1/orders/changes": Operation(
        id="listChanges",
        tag="Orders",
        summary="Follow changes of orders",
        description="Every order that was made or changed since, in the order in which that became visible; "
        "none is ever missed, whatever was under way. One that changed twice may be told once, as it is now, "
        "and one may be told again. A key that is limited to markets is told of those of its markets. What a "
        "transaction makes is told when all that had begun to write before it have ended. Where an answer is "
        "`feed_began_anew`, read from the beginning: the database has moved to another server.",
        parameters=("PreferStrict",),
        query=_changes,
        responses={
            200: ResponseDoc(
                says="A page of changed orders, and where the next begins.",
                schema="ChangeList",
                headers=("PreferenceApplied",),
            ),
        },
    ),
    "POST /v1/order": one_operation(
        "createOrder",
        summary="Create one order",
        description="One order, on the same path through a job; answered with its bare outcome.",
        body=Body(schema="Order", says="One order.", examples=ORDER_SENT),
    ),
    "POST /v1/completions": batch_operation(
        "completeOrders",
        summary="Complete a batch of prepared orders",
        description="Completes many orders at once, each under a key of your own and named by its number: "
        "the same limits, answers, jobs and retries as a batch of orders. Two of one order are decided one "
        "after the other. Whoever may write orders of an order's market may complete it.",
        elements="completions",
        schema="Completions",
        sent=COMPLETIONS_SENT,
    ),
    "POST /v1/order/<int:number>": one_operation(
        "completeOrder",
        summary="Complete a prepared order",
        description="Completes what `createOnly` prepared: stock is taken now, what is missing by now is "
        "back-ordered, and the order may split. May be called again to add payment details: the same "
        "transaction of the same kind replaces what was said of it before. An unknown number is an outcome "
        "too: `no`, with a message.",
        body=Body(
            schema="Completion", says="What to complete it with; may be empty.", examples=COMPLETION_SENT
        ),
        numbered=True,
    ),
    **STEPS,
}
