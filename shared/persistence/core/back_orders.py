"""Back-orders in the database, served by whoever frees units: a count, a load, a cancellation.

Whoever does locks the orders that wait (``lock_waiting``), then all stock of their items, then changes the
stock, and serves (``serve_waiting``): the house's order of locks, and nobody can buy in between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from shared.domain.allocation import AvailableStock
from shared.domain.back_orders import ServedLine, WaitingLine, serve
from shared.persistence.core.copying import copy_rows
from shared.persistence.core.errors import TransientError
from shared.persistence.core.order_changes import mark_changed
from shared.persistence.core.reservations import reserve

# What waits, and may have units: not what is prepared, takes no stock, or may not be sold (yet).
_THAT_WAIT = """
    FROM order_lines
    JOIN orders ON orders.number = order_number
    JOIN items ON items.id = item_id
    JOIN allocation_rules ON allocation_rules.id = allocation_rule_id
    WHERE back_ordered > 0 AND item_id = ANY(CAST(:items AS bigint[]))
        AND state IN ('created', 'partially_shipped') AND adjust_stock
        AND items.active AND (items.market_ids IS NULL OR market_id = ANY(items.market_ids))
        AND NOT EXISTS (SELECT FROM delivery_windows WHERE name = normalize(delivery_window) AND preorder)
"""
_LOCK = text(f"""
    SELECT number FROM orders
    WHERE number = ANY(ARRAY(SELECT order_number {_THAT_WAIT}) || CAST(:also AS bigint[]))
    ORDER BY number FOR NO KEY UPDATE
""")  # noqa: S608 - made of nothing but what stands above
# They have only begun to wait: to wait for whoever holds them now could be in a ring, for the stock is ours.
_LOCK_LATECOMERS = text("""
    SELECT number FROM orders WHERE number = ANY(CAST(:numbers AS bigint[])) ORDER BY number
    FOR NO KEY UPDATE SKIP LOCKED
""")
_WAITING = text(f"""
    SELECT order_number, line, item_id, back_ordered, warehouse_ids {_THAT_WAIT}
    ORDER BY orders.created_at, order_number, line
""")
_FREE = text("""
    SELECT item_id, warehouse_id, physical - allocated - threshold AS free
    FROM stock JOIN warehouses ON warehouses.id = warehouse_id
    WHERE item_id = ANY(CAST(:items AS bigint[]))
""")
_END_WAITING = text("""
    UPDATE order_lines SET back_ordered = 0
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:lines AS integer[])) AS served (order_number, line)
    WHERE order_lines.order_number = served.order_number AND order_lines.line = served.line
""")
_ALLOCATIONS = ("order_number", "line", "item_id", "warehouse_id", "quantity")


def lock_waiting(
    connection: Connection, item_ids: Collection[int], also: Collection[int] = ()
) -> frozenset[int]:
    """Lock the orders that wait for units of these items, and ``also`` these, by number. Gives all of them.

    It comes before any stock is locked in this transaction.
    """
    if not item_ids and not also:
        return frozenset()
    wanted = {"items": sorted(item_ids), "also": list(also)}
    return frozenset(connection.execute(_LOCK, wanted).scalars())


def serve_waiting(connection: Connection, item_ids: Collection[int], locked: Collection[int]) -> list[int]:
    """Give the orders that wait for these items what is free of them now. Gives the numbers of those served.

    All stock of the items is locked by this transaction, and so are the orders ``locked``. Raises
    TransientError where an order that has begun to wait since is in somebody else's hand.
    """
    waiting = _waiting(connection, item_ids, locked)
    if not waiting:
        return []
    items = sorted({line.item_id for line in waiting})
    free = {(row.item_id, row.warehouse_id): row.free for row in connection.execute(_FREE, {"items": items})}
    available = AvailableStock(free)
    served = serve(waiting, available)
    if served:
        _write(connection, served, available)
    return sorted({one.waiting.order_number for one in served})


def _waiting(connection: Connection, item_ids: Collection[int], locked: Collection[int]) -> list[WaitingLine]:
    """What waits now, oldest order first, all of it locked."""
    waiting = _read_waiting(connection, item_ids)
    latecomers = {line.order_number for line in waiting} - set(locked)
    if not latecomers:
        return waiting
    held = connection.execute(_LOCK_LATECOMERS, {"numbers": sorted(latecomers)}).scalars().all()
    if len(held) < len(latecomers):
        raise TransientError("somebody else has an order that has begun to wait for units that became free")
    # Between the look and the lock it may have been changed by whoever had it.
    return _read_waiting(connection, item_ids)


def _read_waiting(connection: Connection, item_ids: Collection[int]) -> list[WaitingLine]:
    if not item_ids:
        return []
    return [
        WaitingLine(row.order_number, row.line, row.item_id, row.back_ordered, tuple(row.warehouse_ids))
        for row in connection.execute(_WAITING, {"items": sorted(item_ids)})
    ]


def _write(connection: Connection, served: Sequence[ServedLine], available: AvailableStock) -> None:
    lines = [(one.waiting.order_number, one.waiting.line) for one in served]
    numbers = {"numbers": [number for number, _ in lines], "lines": [line for _, line in lines]}
    connection.execute(_END_WAITING, numbers)
    copy_rows(
        connection,
        "allocations",
        _ALLOCATIONS,
        (
            (one.waiting.order_number, units.line, units.item_id, units.warehouse_id, units.quantity)
            for one in served
            for units in one.reservations
        ),
    )
    reserve(connection, available.reserved())
    mark_changed(connection, {number for number, _ in lines})
