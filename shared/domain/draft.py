"""An order request with everything that it names looked up: ready to be decided."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.allocation import Want
from shared.domain.catalog import AllocationRule, Item, Market, Pricelist
from shared.domain.order import Address, LineRequest, OrderRequest
from shared.domain.pricing import Totals


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line with its item and its prices. ``item`` None: unknown, and let in by forceCreate."""

    line: int
    request: LineRequest
    item: Item | None
    sku: str
    unit_price: Decimal
    original_price: Decimal
    shippable: bool = True
    """False where forceCreate let in an item that may not be sold: it is back-ordered."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose order it is: a customer that is known, or one to be made from the e-mail."""

    customer_id: int | None
    email: str
    register: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that may be created as soon as its stock is there."""

    request: OrderRequest
    market: Market
    pricelist: Pricelist
    rule: AllocationRule
    invoice: Address
    delivery: Address
    lines: tuple[DraftLine, ...]
    buyer: Buyer
    totals: Totals

    def wants(self) -> list[Want]:
        """What it asks of the stock; nothing when stock is to stay untouched."""
        if not self.request.adjust_stock:
            return []
        return [
            Want(line.line, line.item.id, line.request.quantity)
            for line in self.lines
            if line.item is not None and line.shippable
        ]
