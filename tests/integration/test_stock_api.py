"""GET and POST /v1/stock: what is in stock, told and set, through the API and onto real rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import event

from api.context import app_context_of
from tests.support.orders import ADDRESS
from tests.support.placed_orders import Shop, told
from tests.support.stock_counts import LAMP, STOOL, TABLE, count, post, stock_rows


def listed(shop: Shop, stock_key: str, query: str = "") -> dict[str, dict[str, Any]]:
    """Read stock, by SKU."""
    response = shop.api.get(f"/v1/stock{query}", stock_key)
    assert response.status_code == 200, response.data
    return {item["sku"]: item for item in told(response)["products"]}


def test_stock_is_told_by_item_and_warehouse_with_what_is_reserved(shop: Shop, stock_key: str) -> None:
    shop.place({"a": {"address": ADDRESS, "products": [{"sku": LAMP, "qty": 3}]}})

    lamp = listed(shop, stock_key)[LAMP]

    assert (lamp["ean"], lamp["upc"], lamp["product"], lamp["brand"], lamp["active"]) == (
        "7301",
        "0401",
        "Lamp",
        "Kronan",
        True,
    )
    assert (lamp["physicalStock"], lamp["allocatedStock"], lamp["availableStock"]) == (105, 3, 102)
    main, other = lamp["warehouses"]
    assert (main["name"], main["physicalStock"], main["allocatedStock"], main["availableStock"]) == (
        "Main",
        100,
        3,
        97,
    )
    assert (other["name"], other["physicalStock"], other["allocatedStock"]) == ("Shop", 5, 0)


def test_an_item_that_no_warehouse_has_ever_had_is_told_with_nothing(shop: Shop, stock_key: str) -> None:
    table = listed(shop, stock_key)[TABLE]

    assert (table["physicalStock"], table["warehouses"]) == (0, [])


@pytest.mark.parametrize("query", ["?sku=RED-STOOL", "?ean=7302", "?ean=7302&sku=RED-STOOL"])
def test_one_item_is_found_by_what_it_is_called(shop: Shop, stock_key: str, query: str) -> None:
    assert list(listed(shop, stock_key, query)) == [STOOL]


def test_items_that_match_one_name_and_not_another_are_not_found(shop: Shop, stock_key: str) -> None:
    assert listed(shop, stock_key, "?ean=7302&sku=BRASS-LAMP") == {}
    assert list(listed(shop, stock_key, "?upc=0401")) == [LAMP]


def test_what_has_changed_since_a_moment_is_told(shop: Shop, stock_key: str) -> None:
    before = max(level["modified"] for level in listed(shop, stock_key)[LAMP]["warehouses"])
    later = (datetime.fromisoformat(before) + timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    shop.place({"a": {"address": ADDRESS, "products": [{"sku": STOOL, "qty": 1}]}})

    assert list(listed(shop, stock_key, f"?modified={later}")) == [STOOL]
    assert list(listed(shop, stock_key, f"?modified={before}")) == [LAMP, STOOL]
    assert listed(shop, stock_key, "?modified=2999-01-01") == {}


def test_setting_what_is_there_already_is_no_change(shop: Shop, stock_key: str) -> None:
    post(shop, stock_key, {"products": [count(LAMP, 99)]})
    since = listed(shop, stock_key)[LAMP]["warehouses"][0]["modified"]

    answer = told(post(shop, stock_key, {"products": [count(LAMP, 99)]}))

    assert answer == {"status": "ok", "updated": 0, "unchanged": 1}
    assert listed(shop, stock_key)[LAMP]["warehouses"][0]["modified"] == since


def test_next_and_previous_lead_through_all_pages_and_are_null_at_the_ends(
    shop: Shop, stock_key: str
) -> None:
    post(shop, stock_key, {"products": []})
    there, back = [], []

    page = told(shop.api.get("/v1/stock?limit=2", stock_key))
    assert page["previous"] is None
    there.append([item["sku"] for item in page["products"]])
    while page["next"]:
        page = told(shop.api.get(page["next"], stock_key))
        there.append([item["sku"] for item in page["products"]])
    while page["previous"]:
        page = told(shop.api.get(page["previous"], stock_key))
        back.append([item["sku"] for item in page["products"]])

    assert there == [[LAMP, STOOL], [TABLE]]
    assert back == [[LAMP, STOOL]]
    assert page["next"] is not None


def test_a_cursor_keeps_the_filters_of_its_page(shop: Shop, stock_key: str) -> None:
    page = told(shop.api.get("/v1/stock?limit=1&modified=2020-01-01", stock_key))
    second = told(shop.api.get(page["next"], stock_key))

    assert "modified=2020-01-01" in page["next"]
    assert [item["sku"] for item in second["products"]] == [STOOL]
    assert second["next"] is None


def test_a_page_beyond_the_last_item_leads_back(shop: Shop, stock_key: str) -> None:
    last = told(shop.api.get("/v1/stock?limit=3", stock_key))
    assert last["next"] is None

    # What next would have been, had there been more when it was asked.
    beyond = told(shop.api.get("/v1/stock?limit=3&cursor=YTM=", stock_key))

    assert (beyond["products"], beyond["next"]) == ([], None)
    assert len(told(shop.api.get(beyond["previous"], stock_key))["products"]) == 3


def test_physical_stock_is_set_by_ean_upc_and_sku_in_the_first_warehouse(shop: Shop, stock_key: str) -> None:
    body = {"products": [count("0401", 7), count("7302", "8"), count(TABLE, 9.0)]}

    response = post(shop, stock_key, body)

    assert (response.status_code, told(response)) == (200, {"status": "ok", "updated": 3, "unchanged": 0})
    assert stock_rows(shop) == {
        (LAMP, "Main"): (7, 0),
        (LAMP, "Shop"): (5, 0),
        (STOOL, "Main"): (8, 0),
        (STOOL, "Shop"): (3, 0),
        (TABLE, "Main"): (9, 0),
    }


def test_a_warehouse_is_named_for_all_counts_or_for_one(shop: Shop, stock_key: str) -> None:
    body = {"warehouse": "Shop", "products": [count(LAMP, 1), count(STOOL, 0, warehouse="Main")]}

    assert told(post(shop, stock_key, body))["updated"] == 2

    assert stock_rows(shop)[LAMP, "Shop"] == (1, 0)
    assert stock_rows(shop)[LAMP, "Main"] == (100, 0)
    assert stock_rows(shop)[STOOL, "Main"] == (0, 0)


def test_the_same_product_in_two_warehouses_is_no_contradiction(shop: Shop, stock_key: str) -> None:
    body = {"products": [count(LAMP, 1), count(LAMP, 2, warehouse="Shop")]}

    assert told(post(shop, stock_key, body)) == {"status": "ok", "updated": 2, "unchanged": 0}


def test_unknown_members_are_ignored_unless_that_is_to_be_strict(shop: Shop, stock_key: str) -> None:
    body = {"products": [count(LAMP, 1, costPrice=12.54)], "xml": 1}

    lenient, strict = post(shop, stock_key, body), post(shop, stock_key, body, Prefer="handling=strict")

    assert (lenient.status_code, strict.status_code) == (200, 400)
    assert {error["pointer"] for error in told(strict)["errors"]} == {"/products/0/costPrice", "/xml"}


def test_each_scope_opens_its_own_half(shop: Shop) -> None:
    reader, writer = (shop.api.new_key(name, f"stock:{name}") for name in ("read", "write"))

    assert shop.api.get("/v1/stock", reader).status_code == 200
    assert shop.api.get("/v1/stock", writer).status_code == 403
    assert post(shop, writer, {"products": []}).status_code == 200
    assert post(shop, reader, {"products": []}).status_code == 403


def test_a_key_limited_to_markets_knows_only_what_is_sold_there(shop: Shop) -> None:
    american = shop.key_for_markets("American", 2)

    answer = told(post(shop, american, {"products": [count(STOOL, 9), count(LAMP, 9)]}))

    assert set(listed(shop, american)) == {LAMP, TABLE}
    assert [(error["pointer"], error["reason"]) for error in answer["errors"]] == [
        ("/products/0/product", "item_unknown")
    ]
    assert stock_rows(shop)[STOOL, "Main"] == (2, 0)
    assert stock_rows(shop)[LAMP, "Main"] == (9, 0)


def test_ten_thousand_counts_are_set_by_a_handful_of_statements(shop: Shop, stock_key: str) -> None:
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO items (sku, ean) SELECT 'S' || n, 'E' || n FROM generate_series(1, 10000) AS n"
        )
    body = {"products": [count(f"E{n}" if n % 2 else f"S{n}", n) for n in range(1, 10_001)]}
    seen: list[str] = []
    engine = app_context_of(shop.api.apps[0]).engine

    def see(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", see)
    answer = told(post(shop, stock_key, body))

    assert answer == {"status": "ok", "updated": 10_000, "unchanged": 0}
    # Warehouses, items, orders that wait, missing rows, locks, the update, and who waits now.
    assert len(seen) == 7
    assert shop.api.rows("SELECT sum(physical) FROM stock WHERE item_id > 3")[0][0] == 50_005_000


def test_what_was_set_is_told_however_little_memory_is_left(shop: Shop, stock_key: str) -> None:
    body = {"products": [count(STOOL, 7), *(count(f"UNKNOWN {n:05}", n) for n in range(9_000))]}
    narrow = shop.api.with_settings(memory_budget_bytes=len(orjson.dumps(body)) + 1)
    held = app_context_of(narrow.apps[-1]).memory_budget.reservation()
    held.reserve(1)

    answer = post(replace(shop, api=narrow), stock_key, body)

    assert answer.status_code == 200
    assert len(answer.data) > narrow.settings.memory_budget_bytes
    assert stock_rows(shop)[STOOL, "Main"][0] == 7
