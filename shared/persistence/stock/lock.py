"""Stock in the database. Rows are locked by (item, warehouse), ascending: the one order of the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from shared.domain.allocation import AvailableStock, StockKey

# One statement that updates many rows would lock them as it finds them, and deadlock; so they are locked
# first. NO KEY: an allocation's foreign key must not wait for it.
_READ = (
    "SELECT item_id, warehouse_id, physical - allocated FROM stock"
    " WHERE item_id = ANY(CAST(:items AS bigint[]))"
)
_LOCK = f"{_READ} ORDER BY item_id, warehouse_id FOR NO KEY UPDATE"
_RESERVE = text(
    "UPDATE stock SET allocated = stock.allocated + taken.quantity, modified_at = clock_timestamp()"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:quantities AS integer[]))"
    " AS taken(item_id, warehouse_id, quantity)"
    " WHERE stock.item_id = taken.item_id AND stock.warehouse_id = taken.warehouse_id"
)


def lock_stock(
    connection: Connection, item_ids: Collection[int], thresholds: Mapping[int, int]
) -> AvailableStock:
    """What can be sold of these items, locked until the transaction ends.

    ``thresholds`` are the units that a warehouse never sells, by warehouse id.
    """
    return _available(connection, _LOCK, item_ids, thresholds)


def look_at_stock(
    connection: Connection, item_ids: Collection[int], thresholds: Mapping[int, int]
) -> AvailableStock:
    """The same as it is now: nothing is locked, so whoever takes from it has to lock and look again."""
    return _available(connection, _READ, item_ids, thresholds)


def _available(
    connection: Connection, query: str, item_ids: Collection[int], thresholds: Mapping[int, int]
) -> AvailableStock:
    if not item_ids:
        return AvailableStock({})
    rows = connection.execute(text(query), {"items": sorted(item_ids)})
    return AvailableStock(
        {(item, warehouse): free - thresholds.get(warehouse, 0) for item, warehouse, free in rows}
    )


def reserve(connection: Connection, taken: Mapping[StockKey, int]) -> None:
    """Add to ``allocated`` what was reserved of stock that this transaction has locked."""
    if taken:
        connection.execute(
            _RESERVE,
            {
                "items": [item for item, _ in taken],
                "warehouses": [warehouse for _, warehouse in taken],
                "quantities": list(taken.values()),
            },
        )
