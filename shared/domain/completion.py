"""Completion of prepared orders, and additions to completed ones (contract §9).

Stock is taken now, and what is missing by now is back-ordered. Those of a transaction are decided in order:
each sees the orders, and the stock, as the ones before it have left them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.allocation import AvailableStock, Demand, allocate_what_is_there
from shared.domain.catalog import AllocationRule, CatalogIndex
from shared.domain.currencies import amount_faults
from shared.domain.draft import DraftLine
from shared.domain.order import payment_amounts
from shared.domain.outcome import Fault, Rejected, quoted, reject
from shared.domain.pricing import Totals
from shared.domain.reasons import ALLOCATION_RULE_UNKNOWN, ALREADY_COMPLETED, ORDER_UNKNOWN
from shared.domain.rejections import order_cancelled
from shared.domain.splitting import Part, split
from shared.domain.values import value
from shared.domain.vouchers import compared


@value(frozen=True, slots=True)
class Completion:
    """What a client may say when it completes an order; None: as it was prepared."""

    payment: Mapping[str, Any] | None = None
    warehouse_group: str | None = None
    details: Mapping[str, str | datetime] = field(default_factory=dict)
    """New values by column: buyer_name, comments, po_number and dates."""
    ignored: tuple[str, ...] = ()
    """Pointers to the first of the members that may not be said here."""
    order: int | None = None
    """The number of the order, where the completion itself says it."""


@value(frozen=True, slots=True)
class Misread:
    """All that is wrong with what a client said, and the amounts in it: their currency is the order's."""

    faults: tuple[Fault, ...]
    amounts: tuple[tuple[str, Decimal], ...] = ()
    ignored: tuple[str, ...] = ()
    order: int | None = None


@value(frozen=True, slots=True)
class AskedCompletion:
    """A completion, the order that it is for, and the markets of whoever asks; None: every market.

    ``number`` None: it could not be read. ``unknown`` is the fault where there is no such order.
    """

    number: int | None
    unknown: Fault
    read: Completion | Misread
    market_ids: frozenset[int] | None = None


@value(frozen=True, slots=True)
class StoredOrder:
    """An order as it stands, with what completing it needs; of a prepared one the lines, too."""

    number: int
    """That of its first part."""
    numbers: tuple[int, ...]
    """Those of all its parts, in order."""
    prepared: bool
    cancelled: bool
    """Whether all of its parts are cancelled."""
    market_id: int
    currency: str
    rule_id: int
    totals: Totals
    adjust_stock: bool
    delivery_window: str | None = None
    send_email: bool | None = None
    lines: tuple[DraftLine, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """A prepared order with the rule that it is completed by; prices and all else as they were agreed."""

    lines: tuple[DraftLine, ...]
    rule: AllocationRule
    totals: Totals
    currency: str
    demands: Sequence[Demand] = ()
    """What it asks of the stock; nothing when stock is to stay untouched."""


@dataclass(slots=True)
class OrderChange:
    """What the completions of a transaction make of one order; all of them share it."""

    order: StoredOrder
    rule_id: int
    parts: tuple[Part, ...] = ()
    """What a prepared order becomes; none for one that was completed before."""
    details: dict[str, str | datetime] = field(default_factory=dict)
    payments: list[Mapping[str, Any]] = field(default_factory=list)
    numbers: tuple[int, ...] = ()
    """Those of all its parts, once they are drawn."""

    @property
    def further_numbers(self) -> int:
        """How many numbers it needs beside those that it has."""
        return max(0, len(self.parts) - 1)

    def number_parts(self, automatic: Iterator[int]) -> None:
        """Give each further part its number."""
        further = (next(automatic) for _ in range(self.further_numbers))
        self.numbers = (*self.order.numbers, *further)


def demands_of(order: StoredOrder, catalog: CatalogIndex) -> tuple[Demand, ...]:
    """What completing an order asks of the stock, whoever completes it."""
    window = catalog.windows.get(compared(order.delivery_window or ""))
    if not order.prepared or not order.adjust_stock or (window is not None and window.preorder):
        return ()
    return tuple(
        [
            Demand(line.line, line.item.id, line.request.quantity)
            for line in order.lines
            if line.item is not None and line.shippable
        ]
    )


def decide_completions(
    asked: Sequence[AskedCompletion],
    orders: Mapping[int, StoredOrder],
    catalog: CatalogIndex,
    available: AvailableStock,
) -> list[OrderChange | Rejected]:
    """Decide completions in order. ``orders`` has those that exist, by the number of each of their parts.

    ``available.reserved()`` afterwards is what the completed orders take.
    """
    changes: dict[int, OrderChange] = {}
    return [_decide(one, orders, changes, catalog, available) for one in asked]


def _decide(
    asked: AskedCompletion,
    orders: Mapping[int, StoredOrder],
    changes: dict[int, OrderChange],
    catalog: CatalogIndex,
    available: AvailableStock,
) -> OrderChange | Rejected:
    order = None if asked.number is None else orders.get(asked.number)
    read = asked.read
    faults = list(read.faults) if isinstance(read, Misread) else []
    # The two look the same: whether there is an order is nothing for whoever may not see it.
    if order is None or not (asked.market_ids is None or order.market_id in asked.market_ids):
        return reject([*([] if asked.number is None else [asked.unknown]), *faults])
    faults += uncounted(read, order.currency)
    if order.cancelled:
        faults.append(order_cancelled(order.number))
    if faults or isinstance(read, Misread):
        return reject(faults)
    change = changes.get(order.number)
    standing_rule_id = order.rule_id if change is None else change.rule_id
    rule = _rule(read, catalog, standing_rule_id)
    if rule is None:
        return reject([_unknown_rule(read)])
    # Sending the same completion again is fine; shipping from elsewhere is not.
    if rule.id != standing_rule_id and not (order.prepared and change is None):
        return reject([already_shipping(str(read.warehouse_group))])
    if change is None:
        change = changes[order.number] = _change(order, rule, catalog, available)
    change.details |= read.details
    if read.payment is not None:
        change.payments.append(read.payment)
    return change


def _rule(read: Completion, catalog: CatalogIndex, standing_rule_id: int) -> AllocationRule | None:
    if read.warehouse_group is None:
        return catalog.rules[standing_rule_id]
    return catalog.rule_names.get(read.warehouse_group)


def _unknown_rule(read: Completion) -> Fault:
    msg = f"no allocation rule is named {quoted(read.warehouse_group)}"
    return Fault(ALLOCATION_RULE_UNKNOWN, "/warehouseGroup", msg)


def _change(
    order: StoredOrder, rule: AllocationRule, catalog: CatalogIndex, available: AvailableStock
) -> OrderChange:
    if not order.prepared:
        return OrderChange(order, rule.id)
    demands = demands_of(order, catalog)
    prepared = PreparedOrder(order.lines, rule, order.totals, order.currency, demands)
    return OrderChange(order, rule.id, place_prepared(prepared, available))


def uncounted(read: Completion | Misread, currency: str) -> list[Fault]:
    """A fault for each amount that the order's currency cannot write."""
    amounts = read.amounts if isinstance(read, Misread) else payment_amounts(read.payment or {})
    return amount_faults(amounts, currency)


def place_prepared(prepared: PreparedOrder, available: AvailableStock) -> tuple[Part, ...]:
    """The parts that a prepared order becomes; the first keeps its number."""
    allocation = allocate_what_is_there(prepared.demands, prepared.rule, available)
    available.reserve(allocation.reservations)
    return split(prepared, allocation)


def no_such_order(number: object, pointer: str = "") -> Fault:
    """The fault of a number that is unknown, or not this client's to complete: the two look the same."""
    return Fault(ORDER_UNKNOWN, pointer, f"no order has number {quoted(number)}")


def already_shipping(rule: str) -> Fault:
    """The fault of choosing warehouses for an order that has its stock."""
    msg = f"{quoted(rule)} comes too late: the order is completed and its stock is taken"
    return Fault(ALREADY_COMPLETED, "/warehouseGroup", msg)
