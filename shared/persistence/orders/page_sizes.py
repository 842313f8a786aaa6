"""Sizes of a page of orders: which orders it has, and how much JSON each comes to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Label, Select, Text, cast, func, select, true

from shared.domain.order_list import OrderFilter
from shared.persistence.core.tables import order_lines, orders, payments

# What a client sends of it, of whatever length.
_SENT = (
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

NEWEST_FIRST = (orders.c.created_at.desc(), orders.c.number.desc())

# What an order, a line and a payment have as JSON beside the texts that a client sends.
_ORDER_BYTES, _LINE_BYTES, _PAYMENT_BYTES = 1_600, 400, 250


def page_sizes(wanted: OrderFilter) -> Select[Any]:
    """The numbers of a page's orders, of one more than are wanted, and the size of each."""
    # First the numbers alone: what is skipped costs a step in the index, not a row with its addresses.
    numbers = select(orders.c.number).order_by(*NEWEST_FIRST).limit(wanted.limit + 1).offset(wanted.offset)
    if wanted.number is not None:
        numbers = numbers.where(orders.c.number == wanted.number)
    if wanted.customer_id is not None:
        numbers = numbers.where(orders.c.customer_id == wanted.customer_id)
    if wanted.created_from is not None:
        numbers = numbers.where(orders.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        numbers = numbers.where(orders.c.created_at < wanted.created_before)
    if wanted.market_ids is not None:
        numbers = numbers.where(orders.c.market_id.in_(sorted(wanted.market_ids)))
    page = numbers.cte("page")
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
    return (
        select(
            page.c.number,
            lines.c.lines,
            _ORDER_BYTES + _json_bytes(*own) + lines.c.bytes + recorded.c.bytes,
        )
        .join_from(page, orders, orders.c.number == page.c.number)
        .join(lines, true())
        .join(recorded, true())
        .order_by(*NEWEST_FIRST)
    )


def _bytes(of_each: int, *texts: ColumnElement[Any]) -> Label[int]:
    return func.coalesce(func.sum(of_each + _json_bytes(*texts)), 0).label("bytes")


def _json_bytes(*texts: ColumnElement[Any]) -> ColumnElement[int]:
    """What these take as a string of JSON, where a control character is six bytes; a little more for objects.

    As text, since that is how a number takes as much room as it has digits.
    """
    return func.octet_length(cast(func.to_json(func.concat(*texts)), Text))
