"""Orders as rows: which columns, in which order, for each table that an order is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from shared.domain.catalog import Item
from shared.domain.currencies import shown
from shared.domain.decide import Numbered
from shared.domain.draft import Draft
from shared.domain.splitting import Part
from shared.domain.terms import buyer_name
from shared.domain.values import value
from shared.persistence.core.copying import NULL, as_text

# A number as a number, with every digit that the client sent.
_JSON = msgspec.json.Encoder(decimal_format="number")
_FLAGS: Final = {True: "t", False: "f", None: NULL}
_NO_ITEM: Final = f"{NULL}\t0"


@value(frozen=True, slots=True)
class NewOrder:
    """An order request that is placed, numbered, and has its customer; and where it comes from."""

    job_id: UUID
    api_key_id: int
    position: int
    batch_key: str
    customer_id: int
    numbered: Numbered


@dataclass(frozen=True, slots=True)
class Making:
    """What the orders of one transaction share: when they are made, and what holds for all."""

    moment: datetime
    confirm: bool
    """Whether orders that say nothing of it are confirmed by e-mail."""


def _parts(new_orders: Sequence[NewOrder]) -> Iterator[tuple[NewOrder, int, int, Part]]:
    for new in new_orders:
        numbers = new.numbered.numbers
        for index, part in enumerate(new.numbered.placement.parts):
            yield new, numbers[index], index, part


def _json(value: Any) -> str:
    """JSON, as COPY's text: of what that gives another meaning, JSON has the backslash alone."""
    written = _JSON.encode(value)
    return (written.replace(b"\\", b"\\\\") if b"\\" in written else written).decode()


ORDERS = (
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
    "apply_vouchers",
    "vouchers",
    "created_at",
)


def of_orders(making: Making, new_orders: Sequence[NewOrder]) -> list[str]:
    """The orders, as COPY's text: one per part."""
    moment = str(making.moment)
    job_ids = {new.job_id: str(new.job_id) for new in new_orders}
    rows: list[str] = []
    for new, number, index, part in _parts(new_orders):
        draft, totals = new.numbered.placement.draft, part.totals
        state = "prepared" if draft.request.create_only else "created"
        key = _json(new.batch_key)
        vouchers = _json(_vouchers(draft)) if index == 0 and draft.vouchers else NULL
        rows.append(
            f"{number}\t{state}\t{job_ids[new.job_id]}\t{new.position}\t{key}\t{new.api_key_id}\t{index}"
            f"\t{new.numbered.numbers[0]}\t{new.customer_id}\t{_sold(draft)}\t{totals.lines!s}"
            f"\t{as_text(draft.shipping.uri)}\t{totals.shipping!s}\t{totals.voucher!s}\t{totals.grand!s}"
            f"\t{_wishes(draft, moment)}\t{vouchers}\t{moment}"
        )
    return rows


def _sold(draft: Draft) -> str:
    """account_id … delivery_address."""
    account_id, buyer_id = draft.request.names.account_id, draft.terms.buyer_id
    return (
        f"{NULL if account_id is None else account_id}\t{NULL if buyer_id is None else buyer_id}"
        f"\t{as_text(buyer_name(draft.request, draft.terms))}\t{draft.market.id}\t{draft.pricelist.id}"
        f"\t{draft.pricelist.currency}\t{draft.rule.id}"
        f"\t{_json(draft.invoice.fields)}\t{_json(draft.delivery.fields)}"
    )


def _wishes(draft: Draft, moment: str) -> str:
    """adjust_stock … apply_vouchers."""
    request = draft.request
    names, attributes = request.names, request.extra_attributes
    origin = NULL if names.origin is None else _json({"type": names.origin.type, "id": names.origin.id})
    return (
        f"{_FLAGS[request.adjust_stock]}\t{_FLAGS[request.force_create]}\t{_FLAGS[request.internal_order]}"
        f"\t{_FLAGS[request.send_email]}\t{as_text(request.comment)}\t{as_text(request.internal_comment)}"
        f"\t{as_text(request.po_number)}\t{moment if request.order_date is None else request.order_date!s}"
        f"\t{NULL if request.delivery_date is None else request.delivery_date!s}"
        f"\t{NULL if request.cancel_date is None else request.cancel_date!s}"
        f"\t{as_text(names.delivery_window)}\t{origin}"
        f"\t{NULL if attributes is None else _json(attributes)}\t{_FLAGS[request.apply_vouchers]}"
    )


def _vouchers(draft: Draft) -> list[dict[str, Any]]:
    currency = draft.pricelist.currency
    return [
        {
            "code": one.voucher.code,
            "name": one.voucher.name,
            "value": f"{shown(one.value, currency):f}",
            # What is given back when the order is cancelled.
            "id": one.voucher.id,
            "limited": one.voucher.limited,
        }
        for one in draft.reductions
    ]


LINES = (
    "order_number",
    "line",
    "item_id",
    "item_version",
    "sku",
    "quantity",
    "back_ordered",
    "unit_price",
    "original_price",
    "comment",
    "item_text",
)


def of_lines(new_orders: Sequence[NewOrder]) -> list[str]:
    """The lines of every part, as COPY's text."""
    rows: list[str] = []
    for _, number, _, part in _parts(new_orders):
        for part_line in part.lines:
            line = part_line.line
            item, text = line.item, line.request.item_text
            rows.append(
                f"{number}\t{line.line}\t{_item(item)}\t{as_text(line.sku)}"
                f"\t{part_line.quantity}\t{part_line.back_ordered}\t{line.unit_price!s}"
                f"\t{line.original_price!s}\t{as_text(line.request.comment)}"
                f"\t{NULL if text is None else _json(text)}"
            )
    return rows


def _item(item: Item | None) -> str:
    """item_id, item_version."""
    return _NO_ITEM if item is None else f"{item.id}\t{item.version}"


ALLOCATIONS = ("order_number", "line", "item_id", "warehouse_id", "quantity")


def of_allocations(new_orders: Sequence[NewOrder]) -> list[str]:
    """What every line has reserved, by warehouse, as COPY's text."""
    return [
        f"{number}\t{one.line}\t{one.item_id}\t{one.warehouse_id}\t{one.quantity}"
        for _, number, _, part in _parts(new_orders)
        for one in part.reservations
    ]


PAYMENTS = (
    "order_number",
    "method_id",
    "kind",
    "status",
    "amount",
    "response",
    "transaction",
    "method",
    "external_url",
)


def of_payments(new_orders: Sequence[NewOrder]) -> Iterator[tuple[Any, ...]]:
    """What the orders' payments say; on part 0."""
    for new in new_orders:
        payment = new.numbered.placement.draft.request.payment
        if payment is not None:
            yield from payment_rows(new.numbered.numbers[0], payment)


def payment_rows(order_number: int, payment: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """One row for an authorisation, one for a capture; a method alone is one, too."""
    method_id = payment.get("id")
    happened = [(kind, payment[kind]) for kind in ("auth", "capture") if payment.get(kind) is not None]
    for kind, what in happened:
        details = (what.get(name) for name in ("response", "transaction", "method", "external_url"))
        yield (order_number, method_id, kind, what["status"], what["amount"], *details)
    if not happened and method_id is not None:
        yield (order_number, method_id, None, None, None, None, None, None, None)


def of_confirmations(making: Making, new_orders: Sequence[NewOrder]) -> Iterator[tuple[int]]:
    """The e-mails to be sent: one per completed order request, under its first number."""
    for new in new_orders:
        request = new.numbered.placement.draft.request
        wanted = making.confirm if request.send_email is None else request.send_email
        if wanted and not request.create_only:
            yield (new.numbered.numbers[0],)
