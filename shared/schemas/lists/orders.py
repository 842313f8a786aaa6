"""GET /v1/orders: what may be asked, and how a page is answered; an order itself is in ``listed_order``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import Schema, fields

from shared.domain.order import MOST_NUMBER
from shared.domain.order_list import LISTED_STATES, ORDER_STATES, OrderEdge, OrderFilter, OrderPage
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import NOT_VALID, TOO_LONG
from shared.schemas.fields import Email, Moment, Text, ValueField, Whole, Words, wrong
from shared.schemas.job import Rfc3339
from shared.schemas.lists.cursors import Cursor, written
from shared.schemas.lists.listed_order import ListedOrderSchema
from shared.schemas.order.parameters import NAME_CHARS

DEFAULT_LIMIT = 100
AS_OF = (
    "The `{}` to poll with next: what this answer does not show yet is stamped no earlier. It is about a "
    "second ago, or when the oldest change began that is still under way; some is told again then."
)
# Amounts as JSON numbers with both their decimals, 14.10: what the platform answers with and clients send.
# They are written digit by digit, so they are exact; no float is made of them here.
ORDERS_JSON: Final = msgspec.json.Encoder(decimal_format="number")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_JOB_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class OrderCursor(Cursor):
    """Where a page of orders begins."""

    pattern = re.compile(rb"([ab])([0-9]{1,17})\.([0-9]{1,18})")

    def place(self, found: re.Match[bytes]) -> OrderEdge:
        """Give the edge."""
        moment = _EPOCH + int(found[2]) * _MICROSECOND
        return OrderEdge(moment, int(found[3]), backwards=found[1] == b"b")


def order_cursor_text(edge: OrderEdge) -> str:
    """Write where a page begins."""
    micros = (edge.created_at - _EPOCH) // _MICROSECOND
    return written(b"%b%d.%d" % (b"b" if edge.backwards else b"a", micros, edge.number))


class KeyText(ValueField):
    """An order's key in its batch: any text, an empty one and U+0000 too."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        key = str(value)
        if len(key) > self.most:
            text = f"{quoted(key)} has {len(key)} characters; no key has more than {self.most}"
            raise wrong(TOO_LONG, text, most=self.most)
        return key


class IdOfJob(Text):
    """The id of a job, as answers write it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _JOB_ID.fullmatch(text):
            raise wrong(NOT_VALID, f"{quoted(text)} is no job's id; take it from jobId, or its Location")
        return UUID(text)


class OrderListQuery(Schema):
    """The parameters of GET /v1/orders; an order is listed when it matches all of them.

    newer_than and older_than go by the moment that an order was made here, its createdAt. Its orderDate may
    be set to any day by a client: who polled for what is new by that would miss orders.
    """

    limit = Whole(least=1, most=DEFAULT_LIMIT, metadata=_doc("Orders in the page; 100 unless told."))
    offset = Whole(
        least=0,
        most=0,
        load_default=0,
        metadata=_doc("Newer orders to skip. Orders that come in meanwhile move all others: follow `next`."),
    )
    cursor = OrderCursor(metadata=_doc("Where the page begins: from next or previous."))
    order = Whole(least=1, most=MOST_NUMBER, metadata=_doc("The order of this number, whatever its state."))
    state = Words(
        *ORDER_STATES,
        metadata=_doc(
            f"Orders in this state, or in one of several with commas between them; {', '.join(LISTED_STATES)}"
            " unless told."
        ),
    )
    customer_id = Whole(least=1, most=MOST_NUMBER, metadata=_doc("Orders of this customer."))
    key = KeyText(most=1, metadata=_doc("Orders with this key in their batch, whosever it was."))
    job = IdOfJob(most=36, filled=True, metadata=_doc("Orders that came from this job."))
    poNumber = Text(most=NAME_CHARS, filled=True, metadata=_doc("Orders with this purchase order number."))
    email = Email(
        metadata=_doc(
            "Orders of the customer of this e-mail: the one that is registered with it, however it is spelt, "
            "and those that an order was made for as it is spelt here, in small letters or large."
        )
    )
    newer_than = Moment(metadata=_doc("Orders made at this moment or later."))
    older_than = Moment(metadata=_doc("Orders made before this moment: windows that touch share no order."))
    modifiedAfter = Moment(metadata=_doc("Orders made, or changed last, at this moment or later."))

    def __init__(
        self, *, zone: ZoneInfo, page_max: int, offset_max: int, max_key_chars: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.zone = zone
        bound(self, "limit", page_max)
        bound(self, "offset", offset_max)
        bound(self, "key", max_key_chars)
        self.fields["limit"].load_default = min(DEFAULT_LIMIT, page_max)


def bound(schema: Schema, name: str, most: int) -> None:
    """Set the most that a field of this schema, and of no other, may have: as a number, or characters."""
    field = schema.fields[name]
    if not isinstance(field, Whole | KeyText):
        raise TypeError(f"{name} has no bound")
    field.most = most


def order_filter(values: dict[str, Any], market_ids: frozenset[int] | None) -> OrderFilter | Fault:
    """Make the filter of a query's values, for a reader of these markets."""
    if "cursor" in values and values["offset"]:
        msg = f"{values['offset']} skips orders from the newest on, and the cursor has its own place"
        return Fault(NOT_VALID, "/offset", f"{msg}; leave one of the two out")
    # Who names an order asks for it, whatever has become of it.
    states = None if "order" in values else LISTED_STATES
    return OrderFilter(
        limit=values["limit"],
        offset=values["offset"],
        edge=values.get("cursor"),
        number=values.get("order"),
        states=values.get("state", states),
        customer_id=values.get("customer_id"),
        batch_key=values.get("key"),
        job_id=values.get("job"),
        po_number=values.get("poNumber"),
        email=values.get("email"),
        created_from=values.get("newer_than"),
        created_before=values.get("older_than"),
        modified_from=values.get("modifiedAfter"),
        market_ids=market_ids,
    )


class OrderListSchema(Schema):
    """A page of orders."""

    status = fields.Constant("ok", metadata=_doc("ok"))
    orders = fields.List(fields.Nested(ListedOrderSchema), metadata=_doc("Newest first."))
    asOf = Rfc3339(metadata=_doc(AS_OF.format("newer_than` or `modifiedAfter")))
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
    return ORDERS_JSON.encode(_schema().dump(told))
