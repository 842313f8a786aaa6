"""Writing orders, in bulk: a fixed number of statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from shared.domain.decide import Numbered
from shared.domain.draft import Draft
from shared.domain.splitting import Part
from shared.persistence.copying import copy_rows
from shared.persistence.tables import allocations, order_lines, orders

MOST_DRAWN = 10_000
"""Numbers drawn at once while stepping around explicit ones."""

_DRAW = text(
    "SELECT n FROM (SELECT nextval('order_number_seq') AS n FROM generate_series(1, :count)) AS drawn"
    " WHERE n <> ALL(CAST(:claimed AS bigint[])) AND NOT EXISTS (SELECT FROM orders WHERE number = n)"
    " ORDER BY n"
)
_TAKEN = text("SELECT number FROM orders WHERE number = ANY(CAST(:numbers AS bigint[]))")

# A number as a number, with every digit that the client sent.
_JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order request that is placed, numbered, and has its customer."""

    position: int
    batch_key: str
    customer_id: int
    numbered: Numbered


@dataclass(frozen=True, slots=True)
class Source:
    """Where the orders of one slice come from, and when they are made."""

    job_id: UUID
    api_key_id: int
    moment: datetime


def taken_numbers(connection: Connection, numbers: Collection[int]) -> frozenset[int]:
    """Which of these order numbers exist."""
    if not numbers:
        return frozenset()
    return frozenset(connection.execute(_TAKEN, {"numbers": list(numbers)}).scalars())


def draw_numbers(connection: Connection, count: int, claimed: Collection[int]) -> Iterator[int]:
    """``count`` automatic order numbers, ascending, stepping around those that exist or are ``claimed``."""
    numbers: list[int] = []
    draw = count
    while len(numbers) < count:
        drawn = connection.execute(_DRAW, {"count": draw, "claimed": list(claimed)})
        numbers.extend(drawn.scalars())
        # In the middle of many explicit numbers, stride on.
        draw = min(2 * draw, MOST_DRAWN)
    return iter(numbers[:count])


def write_orders(connection: Connection, source: Source, new_orders: Sequence[NewOrder]) -> None:
    """Insert the orders, their lines and their allocations; three statements."""
    copy_rows(connection, orders, _ORDER_COLUMNS, _order_rows(source, new_orders))
    copy_rows(connection, order_lines, _LINE_COLUMNS, _line_rows(new_orders))
    copy_rows(connection, allocations, _ALLOCATION_COLUMNS, _allocation_rows(new_orders))


def _parts(new_orders: Sequence[NewOrder]) -> Iterator[tuple[NewOrder, int, int, Part]]:
    for new in new_orders:
        numbers = new.numbered.numbers
        for index, part in enumerate(new.numbered.placement.parts):
            yield new, numbers[index], index, part


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else _JSON.encode(value).decode()


_ORDER_COLUMNS = (
    "number",
    "state",
    "job_id",
    "position",
    "batch_key",
    "api_key_id",
    "part",
    "first_number",
    "customer_id",
    "account_id",
    "buyer_id",
    "buyer_name",
    "market_id",
    "pricelist_id",
    "currency",
    "allocation_rule_id",
    "invoice_address",
    "delivery_address",
    "lines_total",
    "shipping_uri",
    "shipping_value",
    "voucher_value",
    "grand_total",
    "adjust_stock",
    "force_create",
    "internal_order",
    "send_email",
    "comment",
    "internal_comment",
    "po_number",
    "order_date",
    "delivery_date",
    "cancel_date",
    "delivery_window",
    "origin",
    "extra_attributes",
    "created_at",
)


def _order_rows(source: Source, new_orders: Sequence[NewOrder]) -> Iterator[tuple[Any, ...]]:
    for new, number, index, part in _parts(new_orders):
        draft = new.numbered.placement.draft
        yield (
            number,
            "prepared" if draft.request.create_only else "created",
            source.job_id,
            new.position,
            msgspec.json.encode(new.batch_key).decode(),
            source.api_key_id,
            index,
            new.numbered.numbers[0],
            new.customer_id,
            *_sold(draft),
            part.totals.lines,
            draft.request.references.shipping_uri,
            part.totals.shipping,
            part.totals.voucher,
            part.totals.grand,
            *_wishes(draft, source.moment),
        )


def _sold(draft: Draft) -> tuple[Any, ...]:
    """account_id … delivery_address."""
    names = draft.request.references
    return (
        names.account_id,
        names.buyer_id,
        draft.request.buyer_name,
        draft.market.id,
        draft.pricelist.id,
        draft.pricelist.currency,
        draft.rule.id,
        _json(draft.invoice.fields),
        _json(draft.delivery.fields),
    )


def _wishes(draft: Draft, moment: datetime) -> tuple[Any, ...]:
    """adjust_stock … created_at."""
    request = draft.request
    origin = request.references.origin
    return (
        request.adjust_stock,
        request.force_create,
        request.internal_order,
        request.send_email,
        request.comment,
        request.internal_comment,
        request.po_number,
        request.order_date or moment,
        request.delivery_date,
        request.cancel_date,
        request.references.delivery_window,
        None if origin is None else _json({"type": origin.type, "id": origin.id}),
        _json(request.extra_attributes),
        moment,
    )


_LINE_COLUMNS = (
    "order_number",
    "line",
    "item_id",
    "sku",
    "quantity",
    "back_ordered",
    "unit_price",
    "original_price",
    "comment",
    "item_text",
)


def _line_rows(new_orders: Sequence[NewOrder]) -> Iterator[tuple[Any, ...]]:
    for _, number, _, part in _parts(new_orders):
        for part_line in part.lines:
            line = part_line.line
            yield (
                number,
                line.line,
                line.item.id if line.item else None,
                line.sku,
                part_line.quantity,
                part_line.back_ordered,
                line.unit_price,
                line.original_price,
                line.request.comment,
                _json(line.request.item_text),
            )


_ALLOCATION_COLUMNS = ("order_number", "line", "item_id", "warehouse_id", "quantity")


def _allocation_rows(new_orders: Sequence[NewOrder]) -> Iterator[tuple[int, int, int, int, int]]:
    for _, number, _, part in _parts(new_orders):
        for take in part.takes:
            yield number, take.line, take.item_id, take.warehouse_id, take.quantity
