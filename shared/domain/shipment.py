"""Shipments: what leaves of an order, and what of it remains to be shipped (contract §9).

Those of a batch are decided in order: each sees the orders as the ones before it have left them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.completion import Misread
from shared.domain.outcome import Fault, Rejected, quoted, reject
from shared.domain.reasons import BACK_ORDERED, LINE_UNKNOWN, MORE_THAN_REMAINS
from shared.domain.rejections import order_cancelled, order_prepared
from shared.domain.values import value


@value(frozen=True, slots=True)
class ShipmentRequest:
    """What a client says of a shipment. ``products`` are units by line id; None: all that remains."""

    products: Mapping[int, int] | None = None
    shipped_at: datetime | None = None
    carrier: str | None = None
    service: str | None = None
    tracking: str | None = None
    reference: str | None = None
    """The client's own name for it, of which an order has one shipment."""
    send_email: bool | None = None
    ignored: tuple[str, ...] = ()
    order: int | None = None


@value(frozen=True, slots=True)
class AskedShipment:
    """A shipment, the number of its order, and the markets of whoever asks; None: every market.

    ``number`` None: it could not be read. ``unknown`` is the fault where there is no such order.
    """

    number: int | None
    unknown: Fault
    read: ShipmentRequest | Misread
    market_ids: frozenset[int] | None = None


@dataclass(slots=True)
class ShippingLine:
    """A line and how much of it has been shipped. ``reserved`` are warehouses and units, in the rule's order.

    A line that takes no stock has nothing reserved, and ships all the same.
    """

    id: int
    line: int
    sku: str
    item_id: int | None
    quantity: int
    back_ordered: int
    shipped: int
    reserved: list[tuple[int, int]] = field(default_factory=list)

    @property
    def remains(self) -> int:
        """Units that can be shipped now."""
        return self.quantity - self.back_ordered - self.shipped


@value(frozen=True, slots=True)
class ShippedUnits:
    """Units of a line that leave a warehouse; None: no stock is taken for them."""

    line: int
    item_id: int | None
    warehouse_id: int | None
    quantity: int


@dataclass(slots=True)
class Shipment:
    """A shipment that is to be written."""

    order_number: int
    request: ShipmentRequest
    units: Sequence[ShippedUnits]
    number: int = 0
    """Its own, once it is drawn."""


@dataclass(slots=True)
class ShippingOrder:
    """An order as it stands, locked; ``shipments`` are its shipments by reference, as far as asked for."""

    number: int
    state: str
    market_id: int
    lines: Mapping[int, ShippingLine]
    """By the line's id."""
    shipments: dict[str, Shipment | int] = field(default_factory=dict)


def decide_shipments(
    asked: Sequence[AskedShipment], orders: Mapping[int, ShippingOrder]
) -> list[Shipment | int | Rejected]:
    """Decide shipments in order; ``orders`` are left as they stand afterwards.

    An integer is the number of a shipment that there is: the same reference again.
    """
    return [_decide(one, orders) for one in asked]


def _decide(asked: AskedShipment, orders: Mapping[int, ShippingOrder]) -> Shipment | int | Rejected:
    order = None if asked.number is None else orders.get(asked.number)
    read = asked.read
    faults = list(read.faults) if isinstance(read, Misread) else []
    # The two look the same: whether there is an order is nothing for whoever may not see it.
    if order is None or not (asked.market_ids is None or order.market_id in asked.market_ids):
        return reject([*([] if asked.number is None else [asked.unknown]), *faults])
    if faults or isinstance(read, Misread):
        return reject(faults)
    if read.reference is not None and read.reference in order.shipments:
        return order.shipments[read.reference]
    if order.state == "cancelled":
        return reject([order_cancelled(order.number)])
    if order.state == "prepared":
        return reject([order_prepared(order.number)])
    return _ship(order, read)


def _ship(order: ShippingOrder, read: ShipmentRequest) -> Shipment | Rejected:
    wanted = _all_that_remains(order) if read.products is None else read.products
    faults = list(_faults(order, wanted)) if wanted else _nothing_remains(order)
    if faults:
        return reject(faults)
    units = [units for line_id, quantity in wanted.items() for units in _take(order.lines[line_id], quantity)]
    shipment = Shipment(order.number, read, units)
    if read.reference is not None:
        order.shipments[read.reference] = shipment
    gone = all(line.shipped == line.quantity for line in order.lines.values())
    order.state = "shipped" if gone else "partially_shipped"
    return shipment


def _all_that_remains(order: ShippingOrder) -> dict[int, int]:
    return {line.id: line.remains for line in order.lines.values() if line.remains}


def _faults(order: ShippingOrder, wanted: Mapping[int, int]) -> Iterator[Fault]:
    for line_id, quantity in wanted.items():
        line = order.lines.get(line_id)
        pointer = f"/products/{line_id}"
        if line is None:
            msg = f"order {order.number} has no line of id {line_id}"
            yield Fault(LINE_UNKNOWN, pointer, msg, {"lineId": line_id})
        elif quantity > line.remains:
            yield _too_many(line, quantity, pointer)


def _too_many(line: ShippingLine, quantity: int, pointer: str) -> Fault:
    told = f"{quantity} wanted of SKU {quoted(line.sku)}, {line.remains} remain to be shipped"
    params = {"lineId": line.id, "wanted": quantity, "remains": line.remains}
    if quantity > line.remains + line.back_ordered:
        return Fault(MORE_THAN_REMAINS, pointer, told, params)
    msg = f"{told}, and {line.back_ordered} are back-ordered"
    return Fault(BACK_ORDERED, pointer, msg, {**params, "backOrdered": line.back_ordered})


def _nothing_remains(order: ShippingOrder) -> list[Fault]:
    """Of each line that waits for stock, that it does; else that all is shipped."""
    lines = list(order.lines.values())
    waiting = [line for line in lines if line.back_ordered]
    return [_too_many(line, line.quantity - line.shipped, "") for line in waiting] or [
        _too_many(line, line.quantity, "") for line in lines
    ]


def _take(line: ShippingLine, quantity: int) -> Iterator[ShippedUnits]:
    """Take units of what is reserved for a line, from one warehouse after the other."""
    line.shipped += quantity
    if not line.reserved:
        yield ShippedUnits(line.line, line.item_id, None, quantity)
        return
    while quantity:
        warehouse_id, reserved = line.reserved.pop(0)
        taken = min(reserved, quantity)
        if taken < reserved:
            line.reserved.insert(0, (warehouse_id, reserved - taken))
        quantity -= taken
        yield ShippedUnits(line.line, line.item_id, warehouse_id, taken)
