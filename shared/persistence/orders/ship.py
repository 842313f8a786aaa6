"""Shipments in the database, in bulk: a fixed number of statements, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.domain.shipment import Shipment, ShippingLine, ShippingOrder
from shared.persistence.core.copying import copy_rows
from shared.persistence.core.tables import shipment_lines, shipments

# In one order everywhere: two transactions must not wait for each other in a ring.
_LOCK = text("""
    SELECT number, state, market_id FROM orders WHERE number = ANY(CAST(:numbers AS bigint[]))
    ORDER BY number FOR NO KEY UPDATE
""")
_LINES = text("""
    SELECT order_number, id, line, sku, item_id, quantity, back_ordered, shipped FROM order_lines
    WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_number, line
""")
# As the order's rule prefers them; what the rule has no more goes last.
_RESERVED = text("""
    SELECT order_number, line, warehouse_id, allocations.quantity FROM allocations
    JOIN orders ON orders.number = order_number
    JOIN allocation_rules ON allocation_rules.id = allocation_rule_id
    WHERE order_number = ANY(CAST(:numbers AS bigint[]))
    ORDER BY order_number, line, array_position(warehouse_ids, warehouse_id), warehouse_id
""")
_NAMED = text("""
    SELECT order_number, reference, number FROM shipments
    WHERE order_number = ANY(CAST(:numbers AS bigint[])) AND reference = ANY(CAST(:names AS text[]))
""")
_DRAW = text("SELECT nextval('shipment_number_seq') FROM generate_series(1, :count)")
_SHIP_ORDERS = text("""
    UPDATE orders SET state = shipped.state
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:states AS text[])) AS shipped (number, state)
    WHERE orders.number = shipped.number
""")
_UNITS = """
    unnest(
        CAST(:numbers AS bigint[]), CAST(:lines AS integer[]), CAST(:warehouses AS integer[]),
        CAST(:quantities AS integer[])
    ) AS units (order_number, line, warehouse_id, quantity)
"""
_SHIP_LINES = text(f"""
    UPDATE order_lines SET shipped = shipped + units.quantity FROM {_UNITS}
    WHERE order_lines.order_number = units.order_number AND order_lines.line = units.line
""")  # noqa: S608 - made of nothing but what stands above
_OF_ALLOCATION = """
    allocations.order_number = units.order_number AND allocations.line = units.line
    AND allocations.warehouse_id = units.warehouse_id
"""
# Before the others become less.
_END_ALLOCATIONS = text(f"""
    DELETE FROM allocations USING {_UNITS}
    WHERE {_OF_ALLOCATION} AND allocations.quantity = units.quantity
""")  # noqa: S608 - made of nothing but what stands above
_LESSEN_ALLOCATIONS = text(f"""
    UPDATE allocations SET quantity = allocations.quantity - units.quantity FROM {_UNITS}
    WHERE {_OF_ALLOCATION}
""")  # noqa: S608 - made of nothing but what stands above
_TAKEN = """
    unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:quantities AS integer[]))
        AS taken (item_id, warehouse_id, quantity)
"""
# One statement that updates many rows would lock them as it finds them, and deadlock.
_LOCK_STOCK = text(f"""
    SELECT count(*) FROM (
        SELECT FROM stock JOIN {_TAKEN} USING (item_id, warehouse_id)
        ORDER BY stock.item_id, stock.warehouse_id FOR NO KEY UPDATE OF stock
    ) AS locked
""")  # noqa: S608 - made of nothing but what stands above
_TAKE_OUT = text(f"""
    UPDATE stock SET physical = physical - taken.quantity, allocated = allocated - taken.quantity,
        modified_at = clock_timestamp()
    FROM {_TAKEN}
    WHERE stock.item_id = taken.item_id AND stock.warehouse_id = taken.warehouse_id
""")  # noqa: S608 - made of nothing but what stands above
_SHIPMENTS = (
    "number",
    "order_number",
    "job_id",
    "position",
    "shipped_at",
    "carrier",
    "service",
    "tracking",
    "reference",
)
_SHIPMENT_LINES = ("shipment_number", "order_number", "line", "warehouse_id", "quantity")


@dataclass(frozen=True, slots=True)
class NewShipment:
    """A shipment that is decided, and where it comes from."""

    job_id: UUID
    position: int
    shipment: Shipment


def lock_orders_to_ship(
    connection: Connection, numbers: Collection[int], own_names: Collection[str]
) -> dict[int, ShippingOrder]:
    """The orders of these numbers that there are, locked, with the shipments that have such a reference.

    It comes before any stock is locked in this transaction.
    """
    if not numbers:
        return {}
    wanted = {"numbers": sorted(numbers)}
    rows = connection.execute(_LOCK, wanted).all()
    lines: dict[int, dict[int, ShippingLine]] = {row.number: {} for row in rows}
    by_place: dict[tuple[int, int], ShippingLine] = {}
    for number, *own in connection.execute(_LINES, wanted):
        line = ShippingLine(*own)
        by_place[number, line.line] = lines[number][line.id] = line
    for number, place, warehouse_id, quantity in connection.execute(_RESERVED, wanted):
        by_place[number, place].reserved.append((warehouse_id, quantity))
    found = {
        row.number: ShippingOrder(row.number, row.state, row.market_id, lines[row.number]) for row in rows
    }
    if own_names:
        asked = {**wanted, "names": sorted(own_names)}
        for number, reference, shipment in connection.execute(_NAMED, asked):
            found[number].shipments[reference] = shipment
    return found


def lock_reserved_stock(connection: Connection, orders: Iterable[ShippingOrder]) -> set[int]:
    """Lock the stock that orders have reserved. Gives the ids of its items."""
    reserved = sorted(
        {
            (line.item_id, warehouse_id)
            for order in orders
            for line in order.lines.values()
            for warehouse_id, _ in line.reserved
            if line.item_id is not None
        }
    )
    if reserved:
        items, warehouses = zip(*reserved, strict=True)
        of_them = {"items": list(items), "warehouses": list(warehouses), "quantities": [0] * len(items)}
        connection.execute(_LOCK_STOCK, of_them)
    return {item for item, _ in reserved}


def write_shipments(
    connection: Connection, moment: datetime, new: Sequence[NewShipment], orders: Iterable[ShippingOrder]
) -> None:
    """Number the shipments and write all that they bring about; ``orders`` are those that they are of."""
    if not new:
        return
    drawn = connection.execute(_DRAW, {"count": len(new)}).scalars()
    for one, number in zip(new, sorted(drawn), strict=True):
        one.shipment.number = number
    copy_rows(connection, shipments, _SHIPMENTS, (_row(one, moment) for one in new))
    copy_rows(
        connection,
        shipment_lines,
        _SHIPMENT_LINES,
        (
            (one.shipment.number, one.shipment.order_number, units.line, units.warehouse_id, units.quantity)
            for one in new
            for units in one.shipment.units
        ),
    )
    states = {order.number: order.state for order in orders}
    connection.execute(_SHIP_ORDERS, {"numbers": list(states), "states": list(states.values())})
    _take_from_lines(connection, [one.shipment for one in new])


def _row(new: NewShipment, moment: datetime) -> tuple[object, ...]:
    shipment, request = new.shipment, new.shipment.request
    return (
        shipment.number,
        shipment.order_number,
        new.job_id,
        new.position,
        request.shipped_at or moment,
        request.carrier,
        request.service,
        request.tracking,
        request.reference,
    )


def _take_from_lines(connection: Connection, shipped: Sequence[Shipment]) -> None:
    """Lower what the lines have reserved, and the stock, physical and allocated together."""
    lines: Counter[tuple[int, int]] = Counter()
    reserved: Counter[tuple[int, int, int]] = Counter()
    stock: Counter[tuple[int, int]] = Counter()
    for shipment in shipped:
        for units in shipment.units:
            lines[shipment.order_number, units.line] += units.quantity
            if units.warehouse_id is not None and units.item_id is not None:
                reserved[shipment.order_number, units.line, units.warehouse_id] += units.quantity
                stock[units.item_id, units.warehouse_id] += units.quantity
    of_lines = {
        "numbers": [number for number, _ in lines],
        "lines": [line for _, line in lines],
        "warehouses": [0] * len(lines),
        "quantities": list(lines.values()),
    }
    connection.execute(_SHIP_LINES, of_lines)
    if not stock:
        return
    of_allocations = {
        "numbers": [number for number, _, _ in reserved],
        "lines": [line for _, line, _ in reserved],
        "warehouses": [warehouse for _, _, warehouse in reserved],
        "quantities": list(reserved.values()),
    }
    connection.execute(_END_ALLOCATIONS, of_allocations)
    connection.execute(_LESSEN_ALLOCATIONS, of_allocations)
    taken = {
        "items": [item for item, _ in stock],
        "warehouses": [warehouse for _, warehouse in stock],
        "quantities": list(stock.values()),
    }
    connection.execute(_LOCK_STOCK, taken)
    connection.execute(_TAKE_OUT, taken)
