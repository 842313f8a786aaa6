"""Names that an earlier version stored in another form of Unicode are found, and stay one thing."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared import persistence
from tests.support.catalog_files import execute, load, rows
from tests.support.orders import line, order
from tests.support.parameter_shop import placed

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.placed_orders import Shop

CATALOG: dict[str, Any] = {
    "warehouses": [{"name": "Göteborg"}],
    "allocationRules": [{"name": "Närmast", "warehouses": ["Göteborg"]}],
    "pricelists": [{"name": "Året", "currency": "EUR"}],
    "shippingOptions": [{"uri": "påse", "name": "Påse", "countries": ["NO"], "price": {"EUR": 1}}],
    "markets": [{"name": "Västra", "pricelist": "Året", "allocationRule": "Närmast"}],
    "items": [{"sku": "ÖL", "ean": "Ä1", "upc": "Ü1", "prices": {"Året": 7}, "stock": {"Göteborg": 9}}],
    "campaigns": [{"name": "Våren", "pricelist": "Året", "percent": 10, "skus": ["ÖL"]}],
    "vouchers": [{"name": "Själv", "automatic": True, "amount": {"EUR": 1}}],
    "accounts": [{"name": "Åhus AB", "buyers": [{"name": "Åsa"}]}],
    "deliveryWindows": [{"name": "HÖST", "preorder": True}],
}
NAMED = {
    **dict.fromkeys(["warehouses", "allocation_rules", "pricelists", "markets", "campaigns"], ("name",)),
    **dict.fromkeys(["vouchers", "accounts", "buyers", "delivery_windows"], ("name",)),
    "shipping_options": ("uri",),
    "items": ("sku", "ean", "upc"),
}


@pytest.fixture
def shop(own_parameter_shop: Shop) -> Shop:
    load(own_parameter_shop.api.engine, CATALOG)
    return own_parameter_shop


def decompose(engine: Engine) -> None:
    """Store every name as a version that compared none in NFC may have done."""
    for table, columns in NAMED.items():
        for column in columns:
            execute(engine, f"UPDATE {table} SET {column} = normalize({column}, NFD)")  # noqa: S608 - tables and columns of ours
    execute(engine, "UPDATE catalog_state SET version = version + 1")


def migrate(engine: Engine) -> None:
    found = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations")).get_revision("0018")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        found.module.upgrade()


def test_all_that_was_stored_in_another_form_is_found_by_orders_and_loads(shop: Shop) -> None:
    engine = shop.api.engine
    named = {"market": "Västra", "pricelist": "Året", "warehouseGroup": "Närmast", "shippingList": "påse"}
    sent = order(line("ÖL", ean="Ä1", upc="Ü1"), deliveryWindow="HÖST", **named)
    decompose(engine)
    assert shop.place({"a": sent})["a"]["status"] == "no"

    migrate(engine)

    found = placed(shop, sent)
    assert (found["products"][0]["price"], found["deliveryWindow"]) == (6.3, "HÖST")
    assert not load(engine, CATALOG).changed


def test_a_name_that_another_row_has_stays_apart_from_it(shop: Shop) -> None:
    engine = shop.api.engine
    load(engine, {"items": [{"sku": "ÅL"}, {"sku": "ÄGG 1"}, {"sku": "ÄGG 2"}]})
    decomposed = unicodedata.normalize("NFD", "ÅL")
    execute(engine, "INSERT INTO items (id, sku) VALUES (5, :sku), (6, 'A\u030aL (7)')", sku=decomposed)
    # Neither of the two is in NFC: a ring and a dot below can follow each other either way.
    both = {"first": "a\u030a\u0323", "second": "\u00e5\u0323"}
    execute(engine, "UPDATE items SET sku = :first WHERE sku = 'ÄGG 1'", first=both["first"])
    execute(engine, "UPDATE items SET sku = :second WHERE sku = 'ÄGG 2'", second=both["second"])
    [(first, second)] = rows(
        engine,
        "SELECT max(id) FILTER (WHERE sku = :first), max(id) FILTER (WHERE sku = :second) FROM items",
        **both,
    )

    migrate(engine)

    skus = dict(rows(engine, "SELECT id, sku FROM items"))
    assert (skus[5], skus[6]) == ("ÅL (5)", "ÅL (7)")
    assert (skus[first], skus[second]) == ("\u1ea1\u030a", f"\u1ea1\u030a ({second})")
    assert placed(shop, order(line("ÅL (5)", unitPrice=3), forceCreate=True))["products"][0]["itemId"] == 5


def test_orders_go_on_naming_the_shipping_option_that_they_were_sold_with(shop: Shop) -> None:
    engine = shop.api.engine
    number = placed(shop, order(shippingList="påse"))["orderId"]
    decompose(engine)
    execute(engine, "UPDATE orders SET shipping_uri = normalize(shipping_uri, NFD)")

    migrate(engine)

    assert rows(engine, "SELECT number, shipping_uri FROM orders") == [(number, "påse")]


def test_a_prepared_order_is_completed_in_the_delivery_window_that_it_named_in_another_form(
    shop: Shop,
) -> None:
    engine = shop.api.engine
    sent = order(line("SOLD-OUT-VASE"), deliveryWindow="HÖST", createOnly=True)
    number = shop.place({"a": sent})["a"]["order"]
    execute(engine, "UPDATE orders SET delivery_window = normalize(delivery_window, NFD)")

    assert shop.complete(number)["orders"] == [number]

    [found] = shop.orders(f"?order={number}")
    assert found["products"][0]["backOrdered"] == 0


def test_names_that_are_in_nfc_are_left_as_they_are(shop: Shop) -> None:
    engine = shop.api.engine
    before = (
        rows(engine, "SELECT xmin::text FROM items ORDER BY id"),
        rows(engine, "SELECT version FROM catalog_state"),
    )

    migrate(engine)

    after = (
        rows(engine, "SELECT xmin::text FROM items ORDER BY id"),
        rows(engine, "SELECT version FROM catalog_state"),
    )
    assert after == before
