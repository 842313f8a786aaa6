"""GET and POST /v1/stock: what is refused, with what it is told, and that nothing was set."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.support.placed_orders import Shop, told
from tests.support.stock_counts import LAMP, count, post, stock_rows


@pytest.fixture(scope="module")
def key(module_shop: Shop) -> str:
    return module_shop.api.new_key("Stock", "stock:read", "stock:write")


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("limit=0", "limit", "'0' is not in 1..1000"),
        ("sku=", "sku", "is empty"),
        ("ean=%00", "ean", "holds U+0000"),
        ("upc=" + "1" * 300, "upc", "has 300 characters"),
        ("modified=soon", "modified", "'soon' is not a date"),
        ("cursor=YTE", "cursor", "'YTE' is none of ours"),
        ("cursor=%C3%A5", "cursor", "is none of ours"),
        ("cursor=YjEyMzQ1Njc4OTAxMjM0NTY3ODkw", "cursor", "is none of ours"),
    ],
)
def test_a_bad_query_value_is_refused(module_shop: Shop, key: str, query: str, name: str, value: str) -> None:
    response = module_shop.api.get(f"/v1/stock?{query}", key)

    assert response.status_code == 400
    assert told(response)["msg"].startswith(f"{name}: ")
    assert value in told(response)["msg"]
    assert told(response)["errors"][0]["pointer"] == f"/{name}"


@pytest.mark.parametrize(
    ("body", "pointer", "msg"),
    [
        ({}, "/products", "is required"),
        ({"products": None}, "/products", "is required"),
        ({"products": {}}, "/products", "{} is not an array"),
        ({"warehouse": 5, "products": [count(LAMP, 1)]}, "/warehouse", "5 is not a string"),
    ],
)
def test_a_body_without_counts_is_refused_and_nothing_is_set(
    module_shop: Shop, key: str, body: Any, pointer: str, msg: str
) -> None:
    response = post(module_shop, key, body)

    assert response.status_code == 400
    answer = told(response)
    assert (answer["status"], answer["code"]) == ("no", -7)
    assert answer["errors"][0]["pointer"] == pointer
    assert msg in answer["errors"][0]["msg"]
    assert stock_rows(module_shop)[LAMP, "Main"] == (100, 0)


@pytest.mark.parametrize(
    ("body", "status", "msg"),
    [
        (b"", 400, "empty"),
        (b"[]", 400, "one JSON object"),
        (b'{"products": [', 400, "ends too early"),
        (b'{"products": [NaN]}', 400, "NaN"),
        (b'{"products": "\\ud800"}', 400, "surrogate"),
        (b'{"products": "\xff"}', 400, "UTF-8"),
        (b'{"products": [], "products": []}', 400, "member 'products' stands twice"),
        (
            b'{"products": [{"product": "a", "quantity": 1, "quantity": 2}]}',
            400,
            "member 'quantity' stands twice",
        ),
        (b'{"products": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "nested deeper"),
        (b'{"products": ' + b"[" * 100_000, 400, "nested"),
    ],
)
def test_what_is_no_body_is_refused(module_shop: Shop, key: str, body: bytes, status: int, msg: str) -> None:
    response = post(module_shop, key, body)

    assert response.status_code == status
    assert msg in told(response)["msg"]


def test_too_much_at_once_is_refused_by_the_limit_and_its_name(module_shop: Shop, key: str) -> None:
    api = module_shop.api.with_settings(stock_max_rows=2, stock_max_body_bytes=1024)
    narrow = Shop(api, module_shop.context)

    rows = post(narrow, key, {"products": [count(LAMP, 1)] * 3})
    long = post(narrow, key, {"products": [], "more": "x" * 1024})
    inflated = post(narrow, key, gzip.compress(b" " * 2000), **{"Content-Encoding": "gzip"})

    assert [answer.status_code for answer in (rows, long, inflated)] == [413, 413, 413]
    assert "2 are the most, which is the limit stockMaxRows" in told(rows)["msg"]
    assert "stockMaxBodyBytes is 1024" in told(long)["msg"]
    assert "stockMaxBodyBytes is 1024" in told(inflated)["msg"]


def test_lines_are_no_way_to_send_stock(module_shop: Shop, key: str) -> None:
    assert post(module_shop, key, b"{}", **{"Content-Type": "application/x-ndjson"}).status_code == 415
