"""The draft: an order request with everything that it names looked up, ready to be decided."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal

from shared.domain.allocation import Demand
from shared.domain.catalog import AllocationRule, Item, Market, Pricelist
from shared.domain.currencies import counted, unit
from shared.domain.order import Address, ElementNames, LineRequest, OrderRequest
from shared.domain.outcome import Fault
from shared.domain.pricing import ZERO, Totals, totals
from shared.domain.terms import Shipping, Terms
from shared.domain.values import value
from shared.domain.vouchers import Applied, within


@value(frozen=True, slots=True)
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


@value(frozen=True, slots=True)
class Buyer:
    """Whose order it is: a customer that is known, or one to be made from the e-mail."""

    customer_id: int | None
    email: str
    register: bool


@value(frozen=True, slots=True)
class Doomed:
    """An order that will be rejected, and the limited vouchers that it names.

    Whether those have uses left is only known when they are locked; if not, that is one fault more, and its
    code may go before those of the others.
    """

    faults: tuple[Fault, ...]
    vouchers: tuple[Applied, ...]
    element_names: ElementNames | None = None


@value(frozen=True, slots=True)
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
    terms: Terms
    shipping: Shipping
    vouchers: tuple[Applied, ...] = ()

    lines_total: Decimal = field(init=False)
    """What the lines come to."""
    totals: Totals = field(init=False)
    """What the order comes to; vouchers reduce it to nothing at most."""
    demands: tuple[Demand, ...] = field(init=False)
    """What it asks of the stock; nothing when stock is to stay untouched."""

    def __post_init__(self) -> None:
        """Add the money and the demands up, once: they are asked for at every step of the order's way."""
        lines_total, vouchers = ZERO, ZERO
        if self.request.voucher_value is not None:
            vouchers = counted(self.request.voucher_value, unit(self.pricelist.currency))
        for line in self.lines:
            lines_total += line.unit_price * line.request.quantity
        for applied in self.vouchers:
            vouchers += applied.value
        object.__setattr__(self, "lines_total", lines_total)
        object.__setattr__(self, "totals", totals(lines_total, self.shipping.value, vouchers))
        object.__setattr__(self, "demands", self._demands())

    @property
    def currency(self) -> str:
        """What its money is counted in."""
        return self.pricelist.currency

    @property
    def reductions(self) -> list[Applied]:
        """The vouchers with what each really takes off: beside voucherValue, what the totals say."""
        sent = self.request.voucher_value or ZERO
        return within(self.vouchers, self.lines_total + self.shipping.value - sent)

    @property
    def needs_stock(self) -> bool:
        """Whether completing the order reserves anything."""
        preorder = self.terms.window is not None and self.terms.window.preorder
        return self.request.adjust_stock and not preorder

    def _demands(self) -> tuple[Demand, ...]:
        if not self.needs_stock:
            return ()
        return tuple(
            [
                Demand(line.line, line.item.id, line.request.quantity)
                for line in self.lines
                if line.item is not None and line.shippable
            ]
        )
