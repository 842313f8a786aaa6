"""What was sold stays as it was sold: no later catalog load changes what an order or a mail says of it."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared import persistence
from shared.persistence.mail.confirmations import read_confirmation
from tests.support.catalog_files import execute, load, rows
from tests.support.orders import line, order
from tests.support.parameter_shop import placed, read_only, read_parts

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.placed_orders import Shop

SOLD = {"product": "Lamp", "variant": "Brass", "size": "M", "brand": "Kronan"}
NUMBERS = count(1)


def new_lamp(engine: Engine, **members: Any) -> dict[str, Any]:
    """Put a lamp into the catalog that no other test has, and give its row."""
    number = next(NUMBERS)
    row = {
        "sku": f"LAMP-{number}",
        "ean": f"{7_310_000_100_000 + number}",
        "upc": f"{71_000_000_000 + number:012}",
        **SOLD,
        "prices": {"EUR": "10"},
        "stock": {"Main": 2, "Shop": 8},
        **members,
    }
    load(engine, {"items": [row]})
    return row


def rename(engine: Engine, lamp: dict[str, Any]) -> None:
    """Load a catalog that calls it something else in every way, and gives up its codes."""
    words = {"product": "Candle", "variant": "Wax", "size": "XS", "brand": "Other"}
    load(engine, {"items": [{"sku": lamp["sku"], "ean": None, "upc": f"{lamp['upc']}9", **words}]})


def told(product: dict[str, Any]) -> dict[str, Any]:
    """What an order says of what was sold on a line."""
    return {name: product[name] for name in ("sku", "ean", "upc", "name", "variant", "size", "brand")}


def as_sold(lamp: dict[str, Any]) -> dict[str, Any]:
    """The same of an item that was sold under the words of this row."""
    members = {name: lamp[name] for name in ("sku", "ean", "upc", "variant", "size", "brand")}
    return {**members, "name": lamp["product"]}


def confirmed_titles(shop: Shop, sold: dict[str, Any]) -> list[str]:
    """What a mail calls the lines of an order."""
    confirmation = read_confirmation(shop.api.engine, sold["orderId"])
    assert confirmation is not None
    return [one.title for one in confirmation.lines]


def test_an_order_says_what_it_said_when_the_catalog_renames_everything(parameter_shop: Shop) -> None:
    lamp = new_lamp(parameter_shop.api.engine)
    before = placed(parameter_shop, order(line(lamp["sku"])))

    rename(parameter_shop.api.engine, lamp)
    after = placed(parameter_shop, order(line(lamp["sku"])))

    [read_again] = parameter_shop.orders(f"?order={before['orderId']}")
    assert read_again["products"] == before["products"]
    assert told(read_again["products"][0]) == as_sold(lamp)
    assert told(after["products"][0])["name"] == "Candle"
    assert told(after["products"][0])["ean"] is None


def test_each_order_has_the_words_of_its_own_day(parameter_shop: Shop) -> None:
    lamp = new_lamp(parameter_shop.api.engine)
    names = ["Lamp", "Old lamp", "Lamp", "Antique"]
    orders = []
    for name in names:
        load(parameter_shop.api.engine, {"items": [{"sku": lamp["sku"], "product": name}]})
        orders.append(placed(parameter_shop, order(line(lamp["sku"]))))

    read = [parameter_shop.orders(f"?order={one['orderId']}")[0] for one in orders]

    assert [one["products"][0]["name"] for one in read] == names


def test_what_force_create_let_in_stays_what_was_sent_whatever_the_catalog_calls_so_later(
    parameter_shop: Shop,
) -> None:
    sent = order(line("NO-SUCH-THING", unitPrice="3"), forceCreate=True)
    before = placed(parameter_shop, sent)

    load(parameter_shop.api.engine, {"items": [{"sku": "NO-SUCH-THING", **SOLD, "stock": {"Main": 5}}]})

    [after] = parameter_shop.orders(f"?order={before['orderId']}")
    assert after["products"] == before["products"]
    assert after["products"][0]["sku"] == "NO-SUCH-THING"


@pytest.mark.parametrize("group", ["Default", "Apart"])
def test_what_was_prepared_keeps_its_words_when_it_is_completed_after_a_rename(
    parameter_shop: Shop, group: str
) -> None:
    lamp = new_lamp(parameter_shop.api.engine)
    prepared = parameter_shop.place({"a": order(line(lamp["sku"], 9), createOnly=True)})["a"]

    rename(parameter_shop.api.engine, lamp)
    outcome = parameter_shop.complete(prepared["order"], warehouseGroup=group)

    parts = read_parts(parameter_shop, outcome)
    assert len(parts) == (2 if group == "Apart" else 1)
    assert [told(part["products"][0]) for part in parts] == [as_sold(lamp)] * len(parts)


def test_a_confirmation_that_is_sent_after_a_rename_says_what_was_sold(parameter_shop: Shop) -> None:
    lamp = new_lamp(parameter_shop.api.engine)
    sold = placed(parameter_shop, order(line(lamp["sku"]), sendEmail=True))

    rename(parameter_shop.api.engine, lamp)

    assert confirmed_titles(parameter_shop, sold) == ["Kronan Lamp, Brass, M"]


def test_whoever_changes_the_words_of_an_item_keeps_those_that_were_sold(parameter_shop: Shop) -> None:
    engine = parameter_shop.api.engine
    lamp = new_lamp(engine)
    before = placed(parameter_shop, order(line(lamp["sku"])))

    execute(engine, "UPDATE items SET brand = 'X' WHERE sku = :sku", sku=lamp["sku"])

    assert read_only(parameter_shop, {"status": "ok", "orders": [before["orderId"]]}) == before


def test_what_changes_no_word_of_an_item_makes_no_version_of_it(parameter_shop: Shop) -> None:
    engine = parameter_shop.api.engine
    lamp = new_lamp(engine)

    load(engine, {"items": [{**lamp, "active": False, "prices": {"EUR": "11"}, "stock": {"Main": 9}}]})

    query = "SELECT kept.version FROM item_versions AS kept JOIN items ON items.id = item_id WHERE sku = :sku"
    assert rows(engine, query, sku=lamp["sku"]) == [(0,)]


def test_the_migration_gives_orders_that_there_are_the_words_of_its_moment(parameter_shop: Shop) -> None:
    engine = parameter_shop.api.engine
    lamp = new_lamp(engine)
    rename(engine, lamp)
    load(engine, {"items": [lamp]})
    sold = placed(parameter_shop, order(line(lamp["sku"])))
    folder = str(Path(persistence.__file__).parent / "migrations")
    script = ScriptDirectory(folder).get_revision("0029").module
    with engine.connect() as connection:
        migration = MigrationContext.configure(connection)
        with migration.begin_transaction(), Operations.context(migration):
            script.downgrade()
            script.upgrade()

    rename(engine, lamp)

    [read_again] = parameter_shop.orders(f"?order={sold['orderId']}")
    assert told(read_again["products"][0]) == as_sold(lamp)
    assert confirmed_titles(parameter_shop, sold) == ["Kronan Lamp, Brass, M"]
