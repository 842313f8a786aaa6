"""Sizes of a page of orders: which orders it has, and how much JSON each comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Label,
    Select,
    Text,
    bindparam,
    cast,
    func,
    select,
    true,
)

from shared.domain.order_list import OrderFilter, OrderSize
from shared.persistence.core.tables import order_lines, orders, payments, shipment_lines, shipments
from shared.persistence.orders.page_numbers import in_order, numbers_of_page

# What a client sends of it, of whatever length; its key is told under two names.
_SENT = (
    "batch_key",
    "batch_key",
    "buyer_name",
    "invoice_address",
    "delivery_address",
    "shipping_uri",
    "comment",
    "internal_comment",
    "po_number",
    "delivery_window",
    "origin",
    "vouchers",
    "extra_attributes",
)

# What an order, a line, a payment, a shipment and a line of it have as JSON beside the texts that a client
# sends.
_ORDER_BYTES, _LINE_BYTES, _PAYMENT_BYTES = 1_670, 420, 250
_SHIPMENT_BYTES, _UNITS_BYTES = 200, 40


def page_sizes(connection: Connection, wanted: OrderFilter) -> list[OrderSize]:
    """The page's orders, and one more where there are others, in the order in which it is read."""
    # First the numbers alone: what is skipped costs a step in the index, not a row with its addresses.
    page = numbers_of_page(wanted)
    rows = connection.execute(_sizes(page).order_by(*in_order(page, backwards=wanted.backwards)))
    return [OrderSize(*row) for row in rows]


def sizes_of(connection: Connection, numbers: Sequence[int]) -> list[OrderSize]:
    """The same of the orders of these numbers, in this order."""
    if not numbers:
        return []
    wanted = bindparam("numbers", list(numbers), ARRAY(BigInteger))
    page = select(func.unnest(wanted).label("number")).cte("page")
    found = {row.number: OrderSize(*row) for row in connection.execute(_sizes(page))}
    return [found[number] for number in numbers]


def _sizes(page: CTE) -> Select[Any]:
    own = [orders.c[name] for name in _SENT]
    lines = (
        select(
            func.count().label("lines"), _bytes(_LINE_BYTES, order_lines.c.comment, order_lines.c.item_text)
        )
        .where(order_lines.c.order_number == page.c.number)
        .lateral("lines")
    )
    paid = payments.c
    recorded = (
        select(_bytes(_PAYMENT_BYTES, paid.response, paid.transaction, paid.method, paid.external_url))
        .where(paid.order_number == page.c.number)
        .lateral("recorded")
    )
    sent = shipments.c
    shipped = (
        select(_bytes(_SHIPMENT_BYTES, sent.carrier, sent.service, sent.tracking, sent.reference))
        .where(sent.order_number == page.c.number)
        .lateral("shipped")
    )
    units = (
        select((func.count() * _UNITS_BYTES).label("bytes"))
        .where(shipment_lines.c.order_number == page.c.number)
        .lateral("units")
    )
    steps = recorded.c.bytes + shipped.c.bytes + units.c.bytes
    return (
        select(page.c.number, lines.c.lines, _ORDER_BYTES + _json_bytes(*own) + lines.c.bytes + steps)
        .join_from(page, orders, orders.c.number == page.c.number)
        .join(lines, true())
        .join(recorded, true())
        .join(shipped, true())
        .join(units, true())
    )


def _bytes(of_each: int, *texts: ColumnElement[Any]) -> Label[int]:
    return func.coalesce(func.sum(of_each + _json_bytes(*texts)), 0).label("bytes")


def _json_bytes(*texts: ColumnElement[Any]) -> ColumnElement[int]:
    """What these take as a string of JSON, where a control character is six bytes; a little more for objects.

    As text, since that is how a number takes as much room as it has digits.
    """
    return func.octet_length(cast(func.to_json(func.concat(*texts)), Text))
