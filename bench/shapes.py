"""The shapes in which real clients send the same order, by the names of the bench's table."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from bench.orders import ITEMS, sku

Order = dict[str, Any]

_NUMBERS = ("qty", "unitPrice", "originalPrice")


def _two_addresses(name: str, chance: random.Random, lines: int) -> Order:
    address = {
        "country": "SE",
        "firstName": "Anna",
        "lastName": f"Andersson {name}",
        "address": "Storgatan 12",
        "coaddress": "c/o Peter",
        "zipcode": "111 22",
        "city": "Stockholm",
    }
    start = chance.randrange(ITEMS)
    return {
        "invoiceAddress": {**address, "email": f"anna.{name}@example.com"},
        "deliveryAddress": address,
        "products": [
            {"sku": sku(1 + item % ITEMS), "qty": 2, "unitPrice": 14.11, "originalPrice": 100.11}
            for item in range(start, start + lines)
        ],
    }


def _one_address(order: Order) -> Order:
    return {"address": order["invoiceAddress"], "products": order["products"]}


def _dates_and_payment(order: Order) -> Order:
    paid = {"status": 1, "amount": "40.33", "transaction": "t-1", "method": "card"}
    return {
        **_one_address(order),
        "orderDate": "2026-11-23 10:15:00",
        "deliveryDate": "2026-11-27",
        "payment": {"id": 3, "auth": paid, "capture": paid},
        "poNumber": "PO-2026-11",
        "comment": "Leave it at the neighbour's",
    }


def _numbers_as_text(order: Order) -> Order:
    lines = [{n: str(v) if n in _NUMBERS else v for n, v in line.items()} for line in order["products"]]
    return {**_one_address(order), "products": lines, "shippingValue": "4.90", "sendEmail": "false"}


def _nulls_and_empty_lists(order: Order) -> Order:
    lines = [{**line, "id": None, "ean": "", "comment": None, "itemText": []} for line in order["products"]]
    return {
        **_one_address(order),
        "products": lines,
        "deliveryAddress": None,
        "payment": [],
        "extraAttributes": [],
        "orderDate": "0000-00-00 00:00:00",
        "voucherCodes": [],
        "shippingValue": "",
        "market": "",
    }


def _attributes_and_an_unknown_member(order: Order) -> Order:
    attributes = {"channel": "web", "weight": 1.25, "tags": ["gift", "fragile"], "fit": {"heel": "low"}}
    return {**_one_address(order), "extraAttributes": attributes, "poNummer": "PO-7"}


_CHANGED: dict[str, Callable[[Order], Order]] = {
    "two addresses": lambda order: order,
    "one address": _one_address,
    "dates, payment, poNumber, comment": _dates_and_payment,
    "numbers as text": _numbers_as_text,
    "nulls and []": _nulls_and_empty_lists,
    "extraAttributes, an unknown member": _attributes_and_an_unknown_member,
    "own orderNumbers": _one_address,
    "pretty-printed": _one_address,
}
SHAPES = tuple(_CHANGED)
"""The first is the bench's own; each other's goal is 0.85 of its orders a second."""


def make(shape: str, count: int, *, seed: int = 1, lines: int = 2, first_number: int = 1) -> dict[str, bytes]:
    """So many orders of a shape, each as the bytes that a client would send, by their keys.

    ``own orderNumbers`` are counted from ``first_number``.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    made: dict[str, bytes] = {}
    for n in range(count):
        name = f"{seed}-{n}"
        order = _CHANGED[shape](_two_addresses(name, chance, lines))
        if shape == "own orderNumbers":
            order["orderNumber"] = first_number + n
        made[name] = _written(order, pretty=shape == "pretty-printed")
    return made


def _written(order: Order, *, pretty: bool) -> bytes:
    if pretty:
        return json.dumps(order, indent=4, separators=(",", " : ")).encode()
    return json.dumps(order, separators=(",", ":")).encode()


def batch(orders: dict[str, bytes]) -> bytes:
    """The body of a batch of these orders."""
    return b"{" + b",".join(json.dumps(key).encode() + b":" + text for key, text in orders.items()) + b"}"
