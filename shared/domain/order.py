"""The order request: an order as a client asks for it, once its JSON is well-formed (contract §6).

Nothing here has been looked up yet: names and ids of markets, items and customers are as sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shared.domain.values import value

MOST_MONEY = Decimal("999999999999.999")
"""What NUMERIC(15, 3) holds, and a float tells exactly."""

MOST_QUANTITY = 2_147_483_647
"""What a PostgreSQL integer holds."""

MOST_NUMBER = 9_007_199_254_740_991
"""The largest order number: above 2^53 - 1 a client's JSON parser may round it."""

STATES_NEEDED = frozenset({"US", "CA", "AU"})
"""Countries whose addresses need a state."""

UNREAD_CODE = ""
"""Stands among voucher codes in the place of one that could not be read, so that the others keep theirs."""


@value(frozen=True, slots=True)
class Address:
    """An address as sent: ``fields`` by the contract's names, ``country`` and ``email`` among them."""

    country: str
    email: str | None
    fields: Mapping[str, str]


@value(frozen=True, slots=True)
class LineRequest:
    """One element of ``products``; at least one of ``item_id``, ``ean``, ``upc``, ``sku`` is there."""

    quantity: int
    item_id: int | None = None
    ean: str | None = None
    sku: str | None = None
    unit_price: Decimal | None = None
    original_price: Decimal | None = None
    comment: str | None = None
    item_text: Mapping[str, Any] | None = None
    upc: str | None = None


@value(frozen=True, slots=True)
class Origin:
    """``createdFromOrigin``: what the order was made from."""

    type: str
    id: int


@value(frozen=True, slots=True)
class OrderNames:
    """What an order names and the catalog must know. An id wins over a name."""

    market_id: int | None = None
    market: str | None = None
    pricelist_id: int | None = None
    pricelist: str | None = None
    warehouse_group: str | None = None
    shipping_uri: str | None = None
    delivery_window: str | None = None
    account_id: int | None = None
    buyer_id: int | None = None
    customer_id: int | None = None
    origin: Origin | None = None
    voucher_codes: tuple[str, ...] = ()
    currency: str | None = None
    """What the sender counts in."""


NOTHING_NAMED: Final = OrderNames()
"""What most orders name."""

ElementNames = Mapping[str, tuple[str, ...]]
"""What a list's elements were called, where it was sent as an object (PHP's list with holes), by its name."""


@value(frozen=True, slots=True)
class OrderRequest:
    """One well-formed order request. Money in the pricelist's currency, moments in UTC."""

    lines: tuple[LineRequest, ...]
    names: OrderNames = NOTHING_NAMED
    # None only when an account's default address stands in.
    invoice: Address | None = None
    delivery: Address | None = None
    customer_register: bool = False
    customer_set_new_password: bool = False
    buyer_name: str | None = None
    extra_attributes: Mapping[str, Any] | None = None
    shipping_value: Decimal | None = None
    voucher_value: Decimal | None = None
    apply_vouchers: bool = True
    order_number: int | None = None
    send_email: bool | None = None
    adjust_stock: bool = True
    force_create: bool = False
    comment: str | None = None
    internal_comment: str | None = None
    po_number: str | None = None
    order_date: datetime | None = None
    delivery_date: datetime | None = None
    cancel_date: datetime | None = None
    create_only: bool = False
    internal_order: bool = False
    payment: Mapping[str, Any] | None = None
    element_names: ElementNames | None = None


def line_amounts(position: int, line: LineRequest) -> Iterator[tuple[str, Decimal]]:
    """The amounts of money that a line has, each with its pointer."""
    for name, amount in (("unitPrice", line.unit_price), ("originalPrice", line.original_price)):
        if amount is not None:
            yield f"/products/{position}/{name}", amount


def all_line_amounts(request: OrderRequest) -> Iterator[tuple[str, Decimal]]:
    """The same of all lines."""
    for position, line in enumerate(request.lines):
        yield from line_amounts(position, line)


def has_other_amounts(request: OrderRequest) -> bool:
    """Whether an order has any amounts of money beside those of its lines; most have none."""
    return not (request.shipping_value is None and request.voucher_value is None and request.payment is None)


def other_amounts(request: OrderRequest) -> Iterator[tuple[str, Decimal]]:
    """The amounts of money that an order has beside those of its lines, each with its pointer."""
    if request.shipping_value is not None:
        yield "/shippingValue", request.shipping_value
    if request.voucher_value is not None:
        yield "/voucherValue", request.voucher_value
    if request.payment is not None:
        yield from payment_amounts(request.payment)


def payment_amounts(payment: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """The amounts that a payment tells of, each with its pointer."""
    for kind in ("auth", "capture"):
        if payment.get(kind) is not None:
            yield f"/payment/{kind}/amount", payment[kind]["amount"]
