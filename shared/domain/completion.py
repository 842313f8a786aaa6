"""Completion of what createOnly prepared: stock is taken now, what is missing by now is back-ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.allocation import AvailableStock, allocate_what_is_there
from shared.domain.currencies import amount_faults
from shared.domain.decide import Placement
from shared.domain.draft import Draft
from shared.domain.order import payment_amounts
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import ALREADY_COMPLETED, ORDER_UNKNOWN
from shared.domain.splitting import split


@dataclass(frozen=True, slots=True)
class Completion:
    """What a client may say when it completes an order; None: as it was prepared."""

    payment: Mapping[str, Any] | None = None
    warehouse_group: str | None = None
    details: Mapping[str, str | datetime] = field(default_factory=dict)
    """New values by column: buyer_name, comments, po_number and dates."""
    ignored: tuple[str, ...] = ()
    """Pointers to the first of the members that may not be said here."""


@dataclass(frozen=True, slots=True)
class Misread:
    """All that is wrong with what a client said, and the amounts in it: their currency is the order's."""

    faults: tuple[Fault, ...]
    amounts: tuple[tuple[str, Decimal], ...] = ()


def uncounted(read: Completion | Misread, currency: str) -> list[Fault]:
    """A fault for each amount that the order's currency cannot write."""
    amounts = read.amounts if isinstance(read, Misread) else payment_amounts(read.payment or {})
    return amount_faults(amounts, currency)


def place_prepared(draft: Draft, available: AvailableStock) -> Placement:
    """The parts that a prepared order becomes; the first keeps its number."""
    allocation = allocate_what_is_there(draft.demands, draft.rule, available)
    available.reserve(allocation.reservations)
    return Placement(draft, split(draft, allocation))


def no_such_order(number: str) -> Fault:
    """The fault of a number that is unknown, or not this client's to complete: the two look the same."""
    return Fault(ORDER_UNKNOWN, "", f"no order has number {quoted(number)}")


def already_shipping(rule: str) -> Fault:
    """The fault of choosing warehouses for an order that has its stock."""
    msg = f"{quoted(rule)} comes too late: the order is completed and its stock is taken"
    return Fault(ALREADY_COMPLETED, "/warehouseGroup", msg)
