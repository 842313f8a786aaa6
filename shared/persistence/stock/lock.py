"""Stock in the database. Rows are locked by (item, warehouse), ascending: the one order of the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from shared.domain.allocation import AvailableStock
from shared.persistence.core.arrays import number_array

# One statement that updates many rows would lock them as it finds them, and deadlock; so they are locked
# first. NO KEY: an allocation's foreign key must not wait for it.
_READ = (
    "SELECT item_id, warehouse_id, physical - allocated AS free FROM stock"
    " WHERE item_id = ANY(CAST(:items AS bigint[]))"
)
_LOCK = f"{_READ} ORDER BY item_id, warehouse_id FOR NO KEY UPDATE"
# All of them in one row: of a full message there are some 400, and each would be looked at on its way.
_IN_ONE_ROW = "SELECT array_agg(item_id), array_agg(warehouse_id), array_agg(free) FROM ({}) AS found"


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
    wanted = {"items": number_array(sorted(item_ids))}
    items, warehouses, free = connection.execute(text(_IN_ONE_ROW.format(query)), wanted).one()
    return AvailableStock(
        {
            (item, warehouse): units - thresholds.get(warehouse, 0)
            for item, warehouse, units in zip(items or (), warehouses or (), free or (), strict=True)
        }
    )
