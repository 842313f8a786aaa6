"""GET /v1/stock: which items are told of, and what of their stock an order could get."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.support.catalog_files import load
from tests.support.catalogs import SMALL_CATALOG
from tests.support.orders import ADDRESS, line, order
from tests.support.placed_orders import Shop, told
from tests.support.stock_counts import LAMP, STOOL, TABLE, count, post


def catalog() -> dict[str, Any]:
    """The shop's, with a warehouse that keeps five of everything back, and two codes of several spellings."""
    made = deepcopy(SMALL_CATALOG)
    made["warehouses"][1]["threshold"] = 5
    made["items"] += [
        {"sku": "EAN-13", "ean": "0711719814153", "stock": {"Shop": 3}},
        {"sku": "UPC-12", "upc": "036000291452"},
        {"sku": "CAF\u00c9"},
    ]
    return made


@pytest.fixture
def shop(shop: Shop) -> Shop:
    load(shop.api.engine, catalog())
    return shop


def listed(shop: Shop, stock_key: str, query: str = "") -> dict[str, dict[str, Any]]:
    """Read stock, by SKU."""
    response = shop.api.get(f"/v1/stock{query}", stock_key)
    assert response.status_code == 200, response.data
    return {item["sku"]: item for item in told(response)["products"]}


def test_what_the_threshold_keeps_back_is_not_available(shop: Shop, stock_key: str) -> None:
    """Five of five, three of five, and those of a warehouse that keeps nothing back."""
    seen = listed(shop, stock_key)

    by_warehouse = {
        sku: {level["name"]: level["availableStock"] for level in seen[sku]["warehouses"]}
        for sku in (LAMP, "EAN-13")
    }
    assert by_warehouse == {LAMP: {"Main": 100, "Shop": 0}, "EAN-13": {"Shop": 0}}
    assert (seen[LAMP]["physicalStock"], seen[LAMP]["availableStock"]) == (105, 100)
    assert (seen["EAN-13"]["physicalStock"], seen["EAN-13"]["availableStock"]) == (3, 0)


def test_what_is_available_is_what_an_order_gets(shop: Shop, stock_key: str) -> None:
    post(shop, stock_key, {"warehouse": "Shop", "products": [count(LAMP, 9)]})
    free = listed(shop, stock_key)[LAMP]["availableStock"]
    assert free == 100 + 9 - 5

    outcomes = shop.place({"more": order(line(LAMP, free + 1))}) | shop.place(
        {"all": order(line(LAMP, free))}
    )

    assert outcomes["more"]["errors"][0]["params"]["available"] == free
    assert outcomes["all"]["status"] == "ok"
    assert listed(shop, stock_key)[LAMP]["availableStock"] == 0


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("?sku=CAF%C3%89", ["CAF\u00c9"]),
        ("?sku=CAFE%CC%81", ["CAF\u00c9"]),
        ("?ean=711719814153", ["EAN-13"]),
        ("?upc=711719814153", ["EAN-13"]),
        ("?upc=0711719814153", ["EAN-13"]),
        ("?upc=036000291452", ["UPC-12"]),
        ("?ean=0036000291452", ["UPC-12"]),
        ("?ean=7302&upc=0401", []),
        ("?warehouse=Shop&limit=2", [LAMP, STOOL]),
        ("?warehouse=Main", [LAMP, STOOL]),
        ("?stock_modified=2999-01-01", []),
        ("?modified=2000-01-01&stock_modified=2999-01-01", []),
        ("?stock_modified=2000-01-01&sku=OAK-TABLE", []),
        ("?stock_modified=2000-01-01", [LAMP, STOOL, "EAN-13"]),
        ("?warehouse=Main&sku=EAN-13", []),
    ],
)
def test_an_item_is_told_of_when_it_matches_all_that_was_asked(
    shop: Shop, stock_key: str, query: str, skus: list[str]
) -> None:
    assert list(listed(shop, stock_key, query)) == skus


def test_an_item_is_found_by_its_id(shop: Shop, stock_key: str) -> None:
    stool = listed(shop, stock_key)[STOOL]["stockItemId"]

    assert list(listed(shop, stock_key, f"?stockItemId={stool}")) == [STOOL]
    assert listed(shop, stock_key, "?stockItemId=999999") == {}


def test_of_one_warehouse_only_its_own_stock_and_its_own_changes_are_told(shop: Shop, stock_key: str) -> None:
    moment = told(shop.api.get("/v1/stock", stock_key))["asOf"]
    lamp = listed(shop, stock_key, "?warehouse=Shop")[LAMP]

    assert [level["name"] for level in lamp["warehouses"]] == ["Shop"]
    assert (lamp["physicalStock"], lamp["availableStock"]) == (5, 0)
    post(shop, stock_key, {"products": [count(LAMP, 1)]})
    changed = listed(shop, stock_key, f"?sku={LAMP}")[LAMP]["warehouses"][0]["modified"]
    assert changed > moment
    assert list(listed(shop, stock_key, f"?warehouse=Main&modified={changed}")) == [LAMP]
    assert listed(shop, stock_key, f"?warehouse=Shop&modified={changed}") == {}


@pytest.mark.parametrize(
    ("query", "name", "reason", "msg"),
    [
        ("warehouse=Moon", "warehouse", "warehouse_unknown", "no warehouse is named 'Moon'"),
        ("stockItemId=0", "stockItemId", "out_of_range", "'0' is not in 1.."),
        ("stockItemId=x", "stockItemId", "not_whole", "'x' is not a whole number"),
        ("stock_modified=soon", "stock_modified", "not_date", "'soon' is not a date"),
        ("stock_Modified=2027-01-01", "stock_Modified", "unknown_field", "it knows stockItemId, sku,"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    shop: Shop, stock_key: str, query: str, name: str, reason: str, msg: str
) -> None:
    response = shop.api.get(f"/v1/stock?{query}", stock_key)

    assert response.status_code == 400
    (error,) = told(response)["errors"]
    assert (error["pointer"], error["reason"]) == (f"/{name}", reason)
    assert msg in error["msg"]


def test_next_keeps_the_warehouse_that_was_asked_for(shop: Shop, stock_key: str) -> None:
    first = told(shop.api.get("/v1/stock?warehouse=Shop&limit=2", stock_key))
    second = told(shop.api.get(first["next"], stock_key))

    assert [item["sku"] for item in second["products"]] == ["EAN-13"]
    assert second["next"] is None


def test_units_that_orders_wait_for_are_told_by_item(shop: Shop, stock_key: str) -> None:
    wish = {"address": ADDRESS, "products": [{"sku": TABLE, "qty": 3}, {"sku": LAMP, "qty": 1}]}
    placed = shop.place(
        {
            "a": {**wish, "forceCreate": True},
            "b": {**wish, "forceCreate": True},
            "prepared": {**wish, "forceCreate": True, "createOnly": True},
            "refused": wish,
        }
    )
    assert [outcome["status"] for outcome in placed.values()] == ["ok", "ok", "ok", "no"]

    seen = listed(shop, stock_key)

    assert {sku: seen[sku]["backOrdered"] for sku in (LAMP, STOOL, TABLE)} == {LAMP: 0, STOOL: 0, TABLE: 6}
    assert "backOrdered" not in seen[LAMP]["warehouses"][0]
