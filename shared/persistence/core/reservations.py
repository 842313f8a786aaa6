"""Reservations: units that are allocated to orders, of stock that the transaction has locked."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from shared.domain.allocation import StockKey
from shared.persistence.core.arrays import number_array

_RESERVE = text(
    "UPDATE stock SET allocated = stock.allocated + taken.quantity, modified_at = clock_timestamp()"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:quantities AS integer[]))"
    " AS taken(item_id, warehouse_id, quantity)"
    " WHERE stock.item_id = taken.item_id AND stock.warehouse_id = taken.warehouse_id"
)


def reserve(connection: Connection, taken: Mapping[StockKey, int]) -> None:
    """Add to ``allocated`` what was reserved of stock that this transaction has locked."""
    if taken:
        connection.execute(
            _RESERVE,
            {
                "items": number_array(item for item, _ in taken),
                "warehouses": number_array(warehouse for _, warehouse in taken),
                "quantities": number_array(taken.values()),
            },
        )
