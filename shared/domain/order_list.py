"""Orders as they are read back: what was asked for, what came of it, and which of them a reader wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from shared.domain.moments import in_zone

ORDER_STATES: Final = ("prepared", "created", "partially_shipped", "shipped", "cancelled")
"""What an order goes through (contract §9), in that order."""
LISTED_STATES: Final = ("created", "partially_shipped", "shipped")
"""Those whose orders are listed where nothing is said of it."""


@dataclass(frozen=True, slots=True)
class OrderEdge:
    """Where a page begins: after the order of this moment and number, or, ``backwards``, before it."""

    created_at: datetime
    number: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders, newest first: those that match everything that is not None.

    They were made in ``created_from <= moment < created_before``, and made or changed at ``modified_from`` or
    later. ``market_ids`` are those that the reader may see; None: every market. ``states`` None: all of them.
    """

    limit: int
    offset: int = 0
    edge: OrderEdge | None = None
    number: int | None = None
    states: tuple[str, ...] | None = None
    customer_id: int | None = None
    batch_key: str | None = None
    job_id: UUID | None = None
    po_number: str | None = None
    email: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    modified_from: datetime | None = None
    market_ids: frozenset[int] | None = None

    @property
    def backwards(self) -> bool:
        """Whether the page is read from its oldest order on."""
        return self.edge is not None and self.edge.backwards


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLine:
    """One line of one order; the catalog's texts are today's, and None for what is not an item."""

    id: int
    line: int
    sku: str
    quantity: int
    back_ordered: int
    shipped: int
    unit_price: Decimal
    original_price: Decimal
    comment: str | None
    item_text: Mapping[str, Any] | None
    item_id: int | None
    ean: str | None
    upc: str | None
    product: str | None
    variant: str | None
    size: str | None
    brand: str | None
    warehouses: Sequence[tuple[str, int]]
    """What is reserved for it: warehouse name and units."""

    def printed(self, name: str) -> Any:
        """A text as it is printed: the order's own where it has one, else the catalog's."""
        own = self.item_text or {}
        return own[name] if name in own else getattr(self, name, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPayment:
    """One recorded detail of a payment. ``kind`` is auth, capture, or None: only the method was told."""

    method_id: int | None
    kind: str | None
    status: int | None
    amount: Decimal | None
    response: str | None
    transaction: str | None
    method: str | None
    external_url: str | None


@dataclass(frozen=True, slots=True)
class LastPayment:
    """What was recorded last of each kind: a payment in the shape that it is sent in."""

    id: int | None
    auth: ListedPayment | None
    capture: ListedPayment | None


@dataclass(frozen=True, slots=True)
class ListedShipment:
    """One shipment of an order; ``products`` are its units by line id."""

    number: int
    shipped_at: datetime
    carrier: str | None
    service: str | None
    tracking: str | None
    reference: str | None
    products: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One order with its lines and payments. Money in ``currency``."""

    number: int
    state: str
    siblings: Sequence[int]
    """The other parts of the same order request, in order."""
    job_id: UUID
    batch_key: str
    customer_id: int
    customer_registered: bool
    customer_to_reset_password: bool
    account_id: int | None
    buyer_id: int | None
    buyer_name: str | None
    market_id: int
    market: str
    pricelist_id: int
    pricelist: str
    currency: str
    allocation_rule: str
    invoice: Mapping[str, str]
    delivery: Mapping[str, str]
    lines_total: Decimal
    shipping_uri: str | None
    shipping_value: Decimal
    voucher_value: Decimal
    grand_total: Decimal
    adjust_stock: bool
    force_create: bool
    apply_vouchers: bool
    internal_order: bool
    send_email: bool | None
    comment: str | None
    internal_comment: str | None
    po_number: str | None
    order_date: datetime
    delivery_date: datetime | None
    cancel_date: datetime | None
    delivery_window: str | None
    origin: Mapping[str, Any] | None
    extra_attributes: str | None
    """JSON text: numbers keep every digit that was sent."""
    vouchers: Sequence[Mapping[str, Any]]
    created_at: datetime
    modified_at: datetime
    """When it was made, or changed last."""
    lines: Sequence[ListedLine]
    payments: Sequence[ListedPayment]
    shipments: Sequence[ListedShipment]

    def in_zone(self, zone: tzinfo) -> ListedOrder:
        """The same order, its dates told in a zone: a day that was sent is that day again."""
        return replace(
            self,
            order_date=in_zone(self.order_date, zone),
            delivery_date=self.delivery_date and in_zone(self.delivery_date, zone),
            cancel_date=self.cancel_date and in_zone(self.cancel_date, zone),
            shipments=[replace(one, shipped_at=in_zone(one.shipped_at, zone)) for one in self.shipments],
        )

    @property
    def payment(self) -> LastPayment | None:
        """The payment as last told; None when none was."""
        if not self.payments:
            return None
        by_kind = {one.kind: one for one in self.payments}
        ids = [one.method_id for one in self.payments if one.method_id is not None]
        return LastPayment(ids[-1] if ids else None, by_kind.get("auth"), by_kind.get("capture"))


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of orders, newest first, and where that of newer, and of older ones begins; None: nowhere."""

    orders: Sequence[ListedOrder]
    previous: OrderEdge | None
    next: OrderEdge | None


@dataclass(frozen=True, slots=True)
class PageTooLarge:
    """A page of several orders that have more than ``most`` of ``what`` (lines, bytes) together.

    ``fitting``: how many of its orders, newest first, have no more than that; one is always read.
    """

    what: str
    most: int
    fitting: int


@dataclass(frozen=True, slots=True)
class OrderSize:
    """What reading an order takes: its lines, and about the bytes that it has as JSON."""

    number: int
    lines: int
    json_bytes: int


def check_page(sizes: Sequence[OrderSize], *, most_lines: int, most_bytes: int) -> PageTooLarge | None:
    """What there is too much of in a page of these orders, if anything."""
    for what, most, each in (
        ("lines", most_lines, [size.lines for size in sizes]),
        ("bytes", most_bytes, [size.json_bytes for size in sizes]),
    ):
        fitting = sum(total <= most for total in accumulate(each))
        if fitting < len(each) > 1:
            return PageTooLarge(what, most, max(fitting, 1))
    return None


def count_fitting(sizes: Sequence[OrderSize], *, most_lines: int, most_bytes: int) -> int:
    """How many of these orders, from the first on, a page may have; one is always read."""
    while (too_large := check_page(sizes, most_lines=most_lines, most_bytes=most_bytes)) is not None:
        sizes = sizes[: too_large.fitting]
    return len(sizes)
