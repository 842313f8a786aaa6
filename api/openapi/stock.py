"""Stock, described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from api.openapi.examples import COUNTS_SENT, STOCK_SET
from api.openapi.operation import Body, Operation, ResponseDoc
from shared.schemas.lists.stock import StockQuery

if TYPE_CHECKING:
    from shared.settings import Settings


def _stock_list(settings: Settings) -> StockQuery:
    return StockQuery(zone=ZoneInfo(settings.organisation_timezone), page_max=settings.stock_page_max)


STOCK: Final = {
    "GET /v1/stock": Operation(
        id="listStock",
        tag="Stock",
        summary="List items with their stock",
        description="A page of items, by id ascending, each with what every warehouse has of it, "
        "or the one that is asked for, and with the units of it that orders wait for. "
        "A key that is limited to markets sees what is sold there.",
        parameters=("PreferStrict",),
        query=_stock_list,
        responses={
            200: ResponseDoc(says="A page of items.", schema="StockList", headers=("PreferenceApplied",)),
        },
    ),
    "POST /v1/stock": Operation(
        id="countStock",
        tag="Stock",
        summary="Set stock to what was counted",
        description="Sets physical stock to what was counted, or adds what has come (`change`), thousands of "
        "shelves at once. It is never set below what is reserved; where that was asked for, what is reserved "
        "is set and told in `raised`, which is no error. A count that cannot be taken (of an unknown item or "
        "warehouse, negative, of a code that several items share, or contradicted by another of the same "
        "item and warehouse) is told with its place in `errors`, in a 200 that says `no`: all others were "
        "set. The same quantities again come to the same; a change that is sent again counts again, so look "
        "at the stock first when an answer was lost.",
        parameters=("PreferStrict", "ContentEncoding"),
        body=Body(schema="Counts", says="What was counted.", examples=COUNTS_SENT),
        responses={
            200: ResponseDoc(
                says="What came of it: `ok`, or `no` with what was not set.",
                schema="StockSet",
                headers=("PreferenceApplied",),
                examples=STOCK_SET,
            ),
        },
    ),
}
