"""Orders as rows: which columns, in which order, for each table that an order is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.domain.currencies import shown
from shared.domain.decide import Numbered
from shared.domain.draft import Draft
from shared.domain.splitting import Part
from shared.domain.terms import buyer_name
from shared.domain.values import value

# A number as a number, with every digit that the client sent.
_JSON = msgspec.json.Encoder(decimal_format="number")


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


def _json(value: Mapping[str, Any] | list[dict[str, Any]] | None) -> str | None:
    return None if value is None else _JSON.encode(value).decode()


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


def of_orders(making: Making, new_orders: Sequence[NewOrder]) -> Iterator[tuple[Any, ...]]:
    """The orders: one per part."""
    # As text, for it is the same in all of them.
    moment = str(making.moment)
    job_ids = {new.job_id: str(new.job_id) for new in new_orders}
    for new, number, index, part in _parts(new_orders):
        draft = new.numbered.placement.draft
        yield (
            number,
            "prepared" if draft.request.create_only else "created",
            job_ids[new.job_id],
            new.position,
            msgspec.json.encode(new.batch_key).decode(),
            new.api_key_id,
            index,
            new.numbered.numbers[0],
            new.customer_id,
            *_sold(draft),
            part.totals.lines,
            draft.shipping.uri,
            part.totals.shipping,
            part.totals.voucher,
            part.totals.grand,
            *_wishes(draft, moment),
            _json(_vouchers(draft)) if index == 0 and draft.vouchers else None,
            moment,
        )


def _sold(draft: Draft) -> tuple[Any, ...]:
    """account_id … delivery_address."""
    names = draft.request.names
    return (
        names.account_id,
        draft.terms.buyer_id,
        buyer_name(draft.request, draft.terms),
        draft.market.id,
        draft.pricelist.id,
        draft.pricelist.currency,
        draft.rule.id,
        _json(draft.invoice.fields),
        _json(draft.delivery.fields),
    )


def _wishes(draft: Draft, moment: str) -> tuple[Any, ...]:
    """adjust_stock … apply_vouchers."""
    request = draft.request
    origin = request.names.origin
    return (
        request.adjust_stock,
        request.force_create,
        request.internal_order,
        request.send_email,
        request.comment,
        request.internal_comment,
        request.po_number,
        moment if request.order_date is None else request.order_date,
        request.delivery_date,
        request.cancel_date,
        request.names.delivery_window,
        None if origin is None else _json({"type": origin.type, "id": origin.id}),
        _json(request.extra_attributes),
        request.apply_vouchers,
    )


def _vouchers(draft: Draft) -> list[dict[str, Any]]:
    currency = draft.pricelist.currency
    return [
        {"code": one.voucher.code, "name": one.voucher.name, "value": f"{shown(one.value, currency):f}"}
        for one in draft.reductions
    ]


LINES = (
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


def of_lines(new_orders: Sequence[NewOrder]) -> Iterator[tuple[Any, ...]]:
    """The lines of every part."""
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


ALLOCATIONS = ("order_number", "line", "item_id", "warehouse_id", "quantity")


def of_allocations(new_orders: Sequence[NewOrder]) -> Iterator[tuple[int, int, int, int, int]]:
    """What every line has reserved, by warehouse."""
    for _, number, _, part in _parts(new_orders):
        for reservation in part.reservations:
            yield (
                number,
                reservation.line,
                reservation.item_id,
                reservation.warehouse_id,
                reservation.quantity,
            )


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
