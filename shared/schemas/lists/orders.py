"""GET /v1/orders: what may be asked, and how a page is answered; an order itself is in ``listed_order``."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import Schema, fields

from shared.domain.order import MOST_NUMBER
from shared.domain.order_list import OrderPage
from shared.schemas.fields import Moment, Whole
from shared.schemas.job import Rfc3339
from shared.schemas.lists.listed_order import ListedOrderSchema

DEFAULT_LIMIT = 100
AS_OF = (
    "The `{}` to poll with next: what this answer does not show yet is stamped no earlier. It is about a "
    "second ago, or when the oldest change began that is still under way; some is told again then."
)
# Amounts as JSON numbers with both their decimals, 14.10: what the platform answers with and clients send.
# They are written digit by digit, so they are exact; no float is made of them here.
_JSON = msgspec.json.Encoder(decimal_format="number")


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class OrderListQuery(Schema):
    """The parameters of GET /v1/orders.

    newer_than and older_than go by the moment that an order was made here, its createdAt. Its orderDate may
    be set to any day by a client: who polled for what is new by that would miss orders.
    """

    limit = Whole(least=1, most=DEFAULT_LIMIT, metadata=_doc("Orders in the page; 100 unless told."))
    offset = Whole(
        least=0, most=0, load_default=0, metadata=_doc("Newer orders to skip; to go far, use older_than.")
    )
    order = Whole(least=1, most=MOST_NUMBER, metadata=_doc("The order of this number."))
    customer_id = Whole(least=1, most=MOST_NUMBER, metadata=_doc("Orders of this customer."))
    newer_than = Moment(metadata=_doc("Orders made at this moment or later."))
    older_than = Moment(metadata=_doc("Orders made before this moment: windows that touch share no order."))

    def __init__(self, *, zone: ZoneInfo, page_max: int, offset_max: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone
        bound(self, "limit", page_max)
        bound(self, "offset", offset_max)
        self.fields["limit"].load_default = min(DEFAULT_LIMIT, page_max)


def bound(schema: Schema, name: str, most: int) -> None:
    """Set the most that a whole number of this schema, and of no other, may be."""
    field = schema.fields[name]
    if not isinstance(field, Whole):
        raise TypeError(f"{name} is no whole number")
    field.most = most


class OrderListSchema(Schema):
    """A page of orders."""

    status = fields.Constant("ok", metadata=_doc("ok"))
    orders = fields.List(fields.Nested(ListedOrderSchema), metadata=_doc("Newest first."))
    asOf = Rfc3339(metadata=_doc(AS_OF.format("newer_than")))
    previous = fields.String(allow_none=True, metadata=_doc("Where the page of newer orders is; else null."))
    next = fields.String(allow_none=True, metadata=_doc("Where the page of older orders is; else null."))


@cache
def _schema() -> OrderListSchema:
    return OrderListSchema()


def order_list_json(
    page: OrderPage, zone: ZoneInfo, *, as_of: datetime, previous: str | None, next_: str | None
) -> bytes:
    """Give a page of orders as JSON, its dates told in ``zone``."""
    orders = [order.in_zone(zone) for order in page.orders]
    told = {"orders": orders, "asOf": as_of, "previous": previous, "next": next_}
    return _JSON.encode(_schema().dump(told))
