"""Shipments of orders, read back in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, text

from shared.domain.order_list import ListedShipment

_SHIPMENTS = text("""
    SELECT order_number, number, shipped_at, carrier, service, tracking, reference, products
    FROM shipments
    JOIN (
        SELECT shipment_number, array_agg(ARRAY[id, quantity] ORDER BY id) AS products FROM (
            SELECT shipment_number, order_lines.id, sum(shipment_lines.quantity) AS quantity
            FROM shipment_lines JOIN order_lines USING (order_number, line)
            WHERE shipment_lines.order_number = ANY(CAST(:numbers AS bigint[]))
            GROUP BY shipment_number, order_lines.id
        ) AS units GROUP BY shipment_number
    ) AS sums ON shipment_number = number
    WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY number
""")


def shipments_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[ListedShipment]]:
    """The shipments of orders, by the order's number; the earliest first."""
    found: dict[int, list[ListedShipment]] = defaultdict(list)
    for row in connection.execute(_SHIPMENTS, {"numbers": list(numbers)}):
        found[row.order_number].append(
            ListedShipment(
                number=row.number,
                shipped_at=row.shipped_at,
                carrier=row.carrier,
                service=row.service,
                tracking=row.tracking,
                reference=row.reference,
                products={int(line_id): int(quantity) for line_id, quantity in row.products},
            )
        )
    return found
