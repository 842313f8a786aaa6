"""The orders of all scenarios: two lines, both addresses, a customer each; 1,000 items, or one hot one."""

from __future__ import annotations

import random
from typing import Any

ITEMS = 1_000
STOCK_PER_ITEM = 1_000_000
HOT_SKU = "BENCH-0001"
SOLD_OUT = tuple(f"BENCH-OUT-{number:03}" for number in range(100))
"""Of these there is nothing until somebody counts them."""


def sku(number: int) -> str:
    """The SKU of item ``number``, from 1."""
    return f"BENCH-{number:04}"


def catalog() -> dict[str, Any]:
    """A catalog file (contract §7) of one market, one warehouse and ``ITEMS`` items."""
    return {
        "warehouses": [{"name": "Main"}],
        "allocationRules": [{"name": "Default", "warehouses": ["Main"], "split": "none"}],
        "pricelists": [{"id": 1, "name": "EUR", "currency": "EUR"}],
        "markets": [
            {"id": 1, "name": "Europe", "countries": ["SE"], "pricelist": "EUR", "allocationRule": "Default"}
        ],
        "items": [
            {
                "sku": sku(n),
                "product": f"Bench {n}",
                "prices": {"EUR": "50.22"},
                "stock": {"Main": STOCK_PER_ITEM},
            }
            for n in range(1, ITEMS + 1)
        ]
        + [
            {"sku": one, "product": one, "prices": {"EUR": "50.22"}, "stock": {"Main": 0}} for one in SOLD_OUT
        ],
    }


def make_orders(count: int, seed: int, *, hot: bool = False) -> dict[str, Any]:
    """A keyed batch of ``count`` orders, the same for the same seed. ``hot``: every line wants one item."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return {f"{seed}-{n}": _order(f"{seed}-{n}", chance, hot=hot) for n in range(count)}


def sold_out_orders(count: int, seed: int) -> dict[str, Any]:
    """A batch of the same shape whose lines want what is sold out."""
    orders = make_orders(count, seed)
    for number, order in enumerate(orders.values()):
        for nth, line in enumerate(order["products"]):
            line["sku"] = SOLD_OUT[(number + 50 * nth) % len(SOLD_OUT)]
    return orders


def _order(name: str, chance: random.Random, *, hot: bool) -> dict[str, Any]:
    first, second = (1, 1) if hot else chance.sample(range(1, ITEMS + 1), 2)
    address = {
        "country": "SE",
        "firstName": "Anna",
        "lastName": f"Andersson {name}",
        "address": "Storgatan 12",
        "coaddress": "c/o Peter",
        "zipcode": "111 22",
        "city": "Stockholm",
    }
    return {
        "invoiceAddress": {**address, "email": f"anna.{name}@example.com"},
        "deliveryAddress": address,
        "products": [
            {"sku": sku(first), "qty": 2, "unitPrice": 14.11, "originalPrice": 100.11},
            {"sku": sku(second), "qty": 1, "unitPrice": 12.11, "originalPrice": 50.22},
        ],
    }


UNITS_PER_ORDER = 3
LINES_PER_ORDER = 2
