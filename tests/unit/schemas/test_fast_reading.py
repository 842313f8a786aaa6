"""The fast way and the schema read every order to the same values, or the fast way doubts."""

from __future__ import annotations

import copy
import json
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.schemas.order import OrderSchema
from shared.schemas.reading import OrderReader

ADDRESS = {
    "email": "x@example.com",
    "country": "SE",
    "firstName": "Åsa",
    "zipcode": "111 22",
    "city": "Stockholm",
}
LAMP = {
    "sku": "BRASS-LAMP",
    "qty": 2,
    "unitPrice": 14.11,
    "originalPrice": 100,
    "itemText": {"product": "Lamp"},
}
ORDER: dict[str, Any] = {
    "invoiceAddress": ADDRESS,
    "deliveryAddress": {"country": "US", "state": "CA", "city": "San Francisco"},
    "products": [LAMP, {"ean": "7300000000017", "qty": 1}],
}

READER = OrderReader(zone=ZoneInfo("Europe/Stockholm"), max_lines=5, strict=False)
FAST = READER._read_fast  # noqa: SLF001 - the very function that read() asks first

ODD_VALUES = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 2, 2.0, 2.5, 14.1, 14.11, 14.115, 1e9, 1e10, 2**31, 2**53, 2**64, 10**40,
        "", " ", "0", "1", "2", "true", "14.11", "1e2", "NaN", "Infinity", "-0", "x", "SE", "se", "US", "XX",
        "a@example.com", "a@b", "ä@example.com", "a@exämple.com", "a..b@example.com", 'a"b":@example.com',
        "x" * 255, "x" * 256, "\x00", "é", '":', "2026-02-28", "2026-02-30", [], {}, [1], {"a": 1}, [None],
    ]
)  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(p for name, inner in value.items() for p in _paths(inner, (*path, name)))]
    if isinstance(value, list):
        return [path, *(p for i, inner in enumerate(value) for p in _paths(inner, (*path, i)))]
    return [path]


def _put(order: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    inner: Any = order
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value


PARAMETERS = sorted(OrderSchema(zone=ZoneInfo("UTC"), max_lines=5).fields)
PLACES = [
    *((name,) for name in PARAMETERS),
    *(path for path in _paths(ORDER) if path),
    ("products", 0, "id"),
    ("products", 1, "sku"),
    ("products", 0, "comment"),
    ("products", 0, "itemText", "localizedProdSize"),
    ("products", 0, "nobody-knows"),
    ("deliveryAddress", "email"),
    ("deliveryAddress", "state"),
    ("nobody-knows",),
]


def _same_or_doubted(text: bytes) -> bool:
    """Whether the fast way took the order; when it did, the schema read the same."""
    fast = FAST(text)
    thorough = READER.read_thoroughly(text)
    if fast is None:
        return False
    assert thorough.faults == ()
    assert fast == thorough.request
    return True


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD_VALUES), max_size=3))
def test_both_ways_read_any_order_to_the_same_values(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    order = copy.deepcopy(ORDER)
    for path, value in changes:
        try:
            _put(order, path, value)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change has taken the place away

    _same_or_doubted(json.dumps(order, ensure_ascii=False).encode())


def test_a_plain_order_is_read_the_fast_way() -> None:
    assert _same_or_doubted(orjson.dumps(ORDER))


@pytest.mark.parametrize(
    "extra",
    [
        {"market": "Europe", "pricelistId": 3, "orderNumber": 77, "createOnly": True, "adjustStock": False},
        {"shippingValue": 4.9, "voucherValue": 0, "comment": "", "poNumber": "PO-1", "sendEmail": False},
        {
            "address": ADDRESS,
            "customerId": 5,
            "buyerName": "Eva",
            "forceCreate": True,
            "applyVouchers": False,
        },
    ],
)
def test_scalars_are_read_the_fast_way(extra: dict[str, Any]) -> None:
    assert _same_or_doubted(orjson.dumps({**ORDER, **extra}))


@pytest.mark.parametrize(
    "text",
    [
        b'{"products":[{"qty":1,"qty":9,"sku":"A"}],"address":{"country":"SE","email":"x@example.com"}}',
        b'{"comment":"a","comment":"b","products":[{"qty":1,"sku":"A"}],"address":{"country":"SE","email":"x@example.com"}}',
    ],
)
def test_a_member_that_stands_twice_is_refused_and_not_guessed(text: bytes) -> None:
    assert FAST(text) is None

    parsed = READER.read(text)

    assert parsed.request is None
    assert "stands twice" in parsed.faults[0].msg
