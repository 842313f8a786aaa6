"""Sending counts of stock in tests, and looking at the rows behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop

LAMP, STOOL, TABLE = "BRASS-LAMP", "RED-STOOL", "OAK-TABLE"


def post(shop: Shop, key: str, body: Any, **headers: str) -> TestResponse:
    """Post to /v1/stock; anything but bytes is written as JSON."""
    return shop.api.client.post(
        "/v1/stock",
        data=body if isinstance(body, bytes) else orjson.dumps(body),
        headers={"API-Authorization": key, "Content-Type": "application/json", **headers},
    )


def count(product: str, quantity: Any, **rest: Any) -> dict[str, Any]:
    """Make one count."""
    return {"product": product, "quantity": quantity, **rest}


def stock_rows(shop: Shop) -> dict[tuple[str, str], tuple[int, int]]:
    """Physical and allocated by SKU and warehouse, from the rows."""
    rows = shop.api.rows(
        "SELECT sku, name, physical, allocated FROM stock JOIN items ON items.id = item_id"
        " JOIN warehouses ON warehouses.id = warehouse_id"
    )
    return {(row.sku, row.name): (row.physical, row.allocated) for row in rows}
