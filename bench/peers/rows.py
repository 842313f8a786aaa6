"""What the peers agree on: the rows of an order, in the tables that ordermill writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

JOB_ID = UUID("00000000-0000-7000-8000-000000000000")


def order_columns(order: dict[str, Any], number: int, customer_id: int) -> dict[str, Any]:
    """The row of ``orders`` for an order of the bench; ``number`` is its place as well as its number."""
    total = sum((Decimal(str(line["unitPrice"])) * line["qty"] for line in order["products"]), Decimal(0))
    now = datetime.now(UTC)
    return {
        "number": number,
        "state": "created",
        "job_id": JOB_ID,
        "position": number,
        "batch_key": json.dumps(str(number)),
        "api_key_id": 1,
        "part": 0,
        "first_number": number,
        "customer_id": customer_id,
        "market_id": 1,
        "pricelist_id": 1,
        "currency": "EUR",
        "allocation_rule_id": 1,
        "invoice_address": order["invoiceAddress"],
        "delivery_address": order["deliveryAddress"],
        "lines_total": total,
        "shipping_value": Decimal(0),
        "voucher_value": Decimal(0),
        "grand_total": total,
        "adjust_stock": True,
        "force_create": False,
        "internal_order": False,
        "order_date": now,
        "created_at": now,
    }


def line_columns(order: dict[str, Any], number: int, items: dict[str, int]) -> list[dict[str, Any]]:
    """The rows of ``order_lines``; ``items`` are item ids by SKU."""
    return [
        {
            "order_number": number,
            "line": line_number,
            "item_id": items[line["sku"]],
            "sku": line["sku"],
            "quantity": line["qty"],
            "back_ordered": 0,
            "unit_price": Decimal(str(line["unitPrice"])),
            "original_price": Decimal(str(line["originalPrice"])),
        }
        for line_number, line in enumerate(order["products"])
    ]
