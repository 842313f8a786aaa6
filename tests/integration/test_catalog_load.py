"""The catalog file in the real PostgreSQL: upserted whole, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.catalog_file import CatalogRefusedError, Count
from tests.support.catalog_files import execute, exported, load, put, row_versions, rows
from tests.support.catalogs import FILE_CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine

    from shared.settings import Settings


def faults_of(engine: Engine, catalog: dict[str, Any]) -> list[str]:
    with pytest.raises(CatalogRefusedError) as refused:
        load(engine, catalog)
    return list(refused.value.faults)


def item(engine: Engine, sku: str) -> tuple[Any, ...]:
    (found,) = rows(
        engine, "SELECT id, ean, product, active, market_ids FROM items WHERE sku = :sku", sku=sku
    )
    return found


def stock(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "SELECT sku, name, physical, allocated FROM stock"
        " JOIN items ON items.id = item_id JOIN warehouses ON warehouses.id = warehouse_id ORDER BY 1, 2",
    )


def test_every_list_stands_in_its_table(engine: Engine) -> None:
    summary = load(engine, FILE_CATALOG)

    assert {name: count.inserted for name, count in summary.counts.items()} == {
        "warehouses": 2,
        "allocationRules": 1,
        "pricelists": 2,
        "shippingOptions": 1,
        "markets": 2,
        "items": 2,
        "campaigns": 1,
        "vouchers": 3,
        "accounts": 1,
        "buyers": 2,
        "deliveryWindows": 1,
        "prices": 3,
        "stock": 3,
    }
    europe, america = (row[0] for row in rows(engine, "SELECT id FROM markets ORDER BY name DESC"))
    assert item(engine, "BRASS-LAMP")[1:] == ("7301", "Lamp", True, sorted([europe, america]))
    assert item(engine, "RED-STOOL")[4] is None
    assert stock(engine) == [
        ("BRASS-LAMP", "Main", 100, 0),
        ("BRASS-LAMP", "Shop", 5, 0),
        ("RED-STOOL", "Main", 3, 0),
    ]
    assert rows(engine, "SELECT amounts, minimums, uses FROM vouchers ORDER BY id") == [
        (None, None, None),
        ({"EUR": "5.00"}, None, 3),
        ({"EUR": "10.00"}, {"EUR": "100.00"}, None),
    ]
    assert rows(engine, "SELECT price FROM prices ORDER BY price")[0] == (Decimal("20.00"),)


def test_loading_it_twice_makes_no_new_row_version(engine: Engine) -> None:
    first = load(engine, FILE_CATALOG)
    before = row_versions(engine)

    second = load(engine, FILE_CATALOG)

    assert row_versions(engine) == before
    assert not second.changed
    assert second.version == first.version
    assert all(count.inserted == count.changed == 0 for count in second.counts.values())
    assert second.counts["stock"] == Count(0, 0, 3)


def test_a_change_raises_the_version_that_workers_keep_their_catalog_by(engine: Engine) -> None:
    first = load(engine, FILE_CATALOG)

    second = load(engine, {"warehouses": [{"name": "Shop", "threshold": 3}]})

    assert second.counts["warehouses"] == Count(0, 1, 0)
    assert second.version == first.version + 1
    assert rows(engine, "SELECT version FROM catalog_state") == [(second.version,)]


def test_the_version_is_told_even_when_its_row_was_lost(engine: Engine) -> None:
    execute(engine, "DELETE FROM catalog_state")

    assert load(engine, {}).version == 0
    assert load(engine, FILE_CATALOG).version == 1


def test_what_the_file_does_not_name_stays(engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    load(engine, {"items": [{"sku": "BRASS-LAMP", "prices": {"EUR": "49.00"}, "stock": {"Shop": 6}}]})

    assert [str(row[0]) for row in rows(engine, "SELECT price FROM prices ORDER BY price")] == [
        "20.00",
        "49.00",
        "60.00",
    ]
    assert stock(engine)[:2] == [("BRASS-LAMP", "Main", 100, 0), ("BRASS-LAMP", "Shop", 6, 0)]


def test_stock_is_not_set_below_what_is_allocated(engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    execute(engine, "UPDATE stock SET allocated = 3 WHERE physical IN (3, 5)")

    summary = load(
        engine,
        {
            "items": [
                {"sku": "BRASS-LAMP", "stock": {"Main": 7, "Shop": 1}},
                {"sku": "RED-STOOL", "stock": {"Main": 0}},
            ]
        },
    )

    assert stock(engine) == [
        ("BRASS-LAMP", "Main", 7, 0),
        ("BRASS-LAMP", "Shop", 3, 3),
        ("RED-STOOL", "Main", 3, 3),
    ]
    assert (summary.kept_stock, summary.kept_stock_skus) == (2, ["BRASS-LAMP", "RED-STOOL"])
    assert summary.counts["stock"] == Count(inserted=0, changed=2, unchanged=1)


def test_changed_stock_is_stamped_late_in_the_load_by_the_databases_clock(engine: Engine) -> None:
    ((before,),) = rows(engine, "SELECT clock_timestamp()")
    put(engine, FILE_CATALOG)
    ((between,),) = rows(engine, "SELECT clock_timestamp()")
    load(engine, {"items": [{"sku": "RED-STOOL", "stock": {"Main": 9}}]})

    stamps = [stamp for (stamp,) in rows(engine, "SELECT modified_at FROM stock ORDER BY modified_at")]
    assert all(before < stamp < between for stamp in stamps[:-1])
    assert stamps[-1] > between


def test_a_voucher_gets_no_fewer_uses_than_it_had(engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    execute(engine, "UPDATE vouchers SET used = 3 WHERE code = 'GIFT'")

    summary = load(engine, {"vouchers": [{"code": "GIFT", "amount": {"EUR": "5.00"}, "uses": 1}]})

    assert summary.kept_vouchers == ["GIFT"]
    assert summary.counts["vouchers"] == Count(0, 0, 1)
    assert rows(engine, "SELECT uses, used FROM vouchers WHERE code = 'GIFT'") == [(3, 3)]


def test_a_new_default_buyer_takes_the_place_of_the_old_one(engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    summary = load(engine, {"accounts": [{"name": "Shop AB", "buyers": [{"name": "Bo", "default": True}]}]})

    assert summary.counts["buyers"].inserted == 1
    assert rows(engine, "SELECT id, name, is_default FROM buyers ORDER BY id") == [
        (1, "Eva", False),
        (2, "Adam", False),
        (3, "Bo", True),
    ]


def test_given_ids_are_kept_and_the_next_ones_go_on_after_them(engine: Engine) -> None:
    load(engine, {"items": [{"sku": "A", "id": 500}, {"sku": "B"}]})
    load(engine, {"items": [{"sku": "C", "id": 2}, {"sku": "D"}]})

    assert rows(engine, "SELECT sku, id FROM items ORDER BY sku") == [
        ("A", 500),
        ("B", 501),
        ("C", 2),
        ("D", 502),
    ]


def test_ids_of_other_rows_are_refused(engine: Engine) -> None:
    load(engine, {"items": [{"sku": "A", "id": 5}]})

    assert faults_of(engine, {"items": [{"sku": "A", "id": 6}, {"sku": "B", "id": 5}]}) == [
        "items[0].id: 6 is not the id of item 'A', but 5; write that, or no id",
        "items[1].id: 5 is the id of item 'A' in the database; choose another",
    ]


def test_two_items_may_swap_their_eans(engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    summary = load(
        engine, {"items": [{"sku": "BRASS-LAMP", "ean": "7302"}, {"sku": "RED-STOOL", "ean": "7301"}]}
    )

    assert summary.counts["items"] == Count(0, 2, 0)
    assert (item(engine, "BRASS-LAMP")[1], item(engine, "RED-STOOL")[1]) == ("7302", "7301")


def test_a_new_item_may_take_the_ean_that_another_gives_up(engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    load(engine, {"items": [{"sku": "NEW-LAMP", "ean": "7301"}, {"sku": "BRASS-LAMP", "ean": None}]})

    assert (item(engine, "BRASS-LAMP")[1], item(engine, "NEW-LAMP")[1]) == (None, "7301")


def test_an_ean_of_an_item_outside_the_file_is_refused(engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    assert faults_of(engine, {"items": [{"sku": "NEW-LAMP", "ean": "7301"}]}) == [
        "items[0].ean: '7301' is the ean of item 'BRASS-LAMP' in the database; choose another"
    ]


def test_all_faults_are_told_at_once_and_nothing_is_written(engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    before = row_versions(engine)
    faulty = {
        "warehouses": [{"name": "New"}, {"name": "Old", "threshold": -1}],
        "allocationRules": [{"name": "R", "warehouses": ["New", "Old", "Nowhere"]}],
        "markets": [{"name": "Asia", "pricelist": "EURO", "allocationRule": "R"}],
        "items": [
            {"sku": "BRASS-LAMP", "prices": {"EUR": "1.00", "YEN": 1}, "stock": {"Main": 0, "Attic": 1}},
            {"sku": "X", "markets": ["Asia", "Mars"]},
        ],
        "campaigns": [{"name": "C", "pricelist": "USD", "percent": 1, "skus": ["X", "RED-STOOL", "NOPE"]}],
        "vouchers": [{"code": "NEW", "name": "Over 100", "percent": 1}],
        "shippingOptions": [{"uri": "x", "name": "X", "countries": ["NO", "DE"], "default": True}],
    }

    warehouses = "the file and the database have 'Main', 'New', 'Old', 'Shop'"
    pricelists = "the file and the database have 'EUR', 'USD'"
    markets = "the file and the database have 'America', 'Asia', 'Europe'"

    assert faults_of(engine, faulty) == [
        "warehouses[1].threshold: -1 is not in 0..2147483647",
        f"allocationRules[0].warehouses[2]: no warehouse is named 'Nowhere'; {warehouses}",
        "shippingOptions[0].default: 'standard' is the default of DE; a country has one",
        f"markets[0].pricelist: no pricelist is named 'EURO'; {pricelists}",
        f"items[0].prices: no pricelist is named 'YEN'; {pricelists}",
        f"items[0].stock: no warehouse is named 'Attic'; {warehouses}",
        f"items[1].markets[1]: no market is named 'Mars'; {markets}",
        "campaigns[0].skus: neither the file nor the database has SKU 'NOPE'",
        "vouchers[0].name: 'Over 100' is the name of voucher 'Over 100' in the database; choose another",
    ]
    assert row_versions(engine) == before


def test_an_empty_database_is_said_to_be_empty(engine: Engine) -> None:
    market = {"name": "M", "pricelist": "EUR", "allocationRule": "R"}

    assert faults_of(engine, {"markets": [market]}) == [
        "markets[0].pricelist: no pricelist is named 'EUR'; neither file nor database has any",
        "markets[0].allocationRule: no allocation rule is named 'R'; neither file nor database has any",
    ]


def test_an_exported_catalog_loads_back_the_same(
    engine: Engine, fresh_settings: Callable[[str], AbstractContextManager[Settings]]
) -> None:
    from shared.persistence.core.database import open_database  # noqa: PLC0415 - this test opens a second database

    load(engine, {**FILE_CATALOG, "items": [*FILE_CATALOG["items"], {"sku": "NOWHERE", "markets": []}]})
    text = exported(engine)

    again = load(engine, text)
    with fresh_settings("test") as settings:
        elsewhere = open_database(settings, "test")
        load(elsewhere, text)
        text_elsewhere = exported(elsewhere)
        elsewhere.dispose()

    assert not again.changed
    assert exported(engine) == text == text_elsewhere


def test_thousands_of_items_are_loaded_by_copy(engine: Engine) -> None:
    many = [
        {"sku": f"SKU-{n}", "ean": f"{n:013}", "prices": {"EUR": n}, "stock": {"Main": n, "Shop": 1}}
        for n in range(3_000)
    ]
    catalog = {**FILE_CATALOG, "items": many, "campaigns": []}

    first, second = load(engine, catalog), load(engine, catalog)

    assert first.counts["items"] == Count(3_000, 0, 0)
    assert first.counts["stock"] == Count(6_000, 0, 0)
    assert second.counts["prices"] == Count(0, 0, 3_000)
    assert not second.changed
