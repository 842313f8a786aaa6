"""A catalog row of something that exists changes what it names, and nothing else; null clears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared import persistence
from shared.domain.catalog_file import CatalogRefusedError
from tests.support.catalog_files import execute, exported, load, put, row_versions, rows

if TYPE_CHECKING:
    from sqlalchemy import Engine

RICH: dict[str, Any] = {
    "warehouses": [{"name": "Main", "threshold": 2}, {"name": "Shop"}],
    "allocationRules": [{"name": "Default", "warehouses": ["Main", "Shop"], "split": "warehouse"}],
    "pricelists": [{"name": "EUR", "currency": "EUR"}, {"name": "USD", "currency": "USD"}],
    "shippingOptions": [
        {
            "uri": "standard",
            "name": "Standard",
            "countries": ["SE", "DE"],
            "default": True,
            "price": {"EUR": "4.90", "SEK": "49.00"},
        }
    ],
    "markets": [
        {"name": "Europe", "countries": ["SE"], "pricelist": "EUR", "allocationRule": "Default"},
        {"name": "America", "countries": ["US"], "pricelist": "USD", "allocationRule": "Default"},
    ],
    "items": [
        {
            "sku": "BRASS-LAMP",
            "ean": "7301",
            "upc": "99",
            "product": "Lamp",
            "variant": "Brass",
            "size": "M",
            "brand": "Kronan",
            "active": False,
            "markets": ["Europe"],
            "prices": {"EUR": "50.22", "USD": "60.00"},
            "stock": {"Main": 100, "Shop": 5},
        }
    ],
    "campaigns": [
        {
            "name": "Spring",
            "pricelist": "EUR",
            "percent": "10.00",
            "from": "2027-03-01T00:00:00+00:00",
            "to": "2027-06-01T00:00:00+00:00",
            "skus": ["BRASS-LAMP"],
        }
    ],
    "vouchers": [
        {"code": "GIFT", "name": "A gift", "amount": {"EUR": "5.00", "SEK": "50.00"}, "uses": 3},
        {"name": "Over 100", "automatic": True, "minimum": {"EUR": "100.00"}, "percent": "5.00"},
    ],
    "accounts": [
        {
            "name": "Shop AB",
            "address": {"country": "SE", "email": "eva@example.com", "city": "Åre"},
            "buyers": [{"id": 1, "name": "Eva", "default": True}, {"id": 2, "name": "Adam"}],
        }
    ],
    "deliveryWindows": [{"name": "AW27", "preorder": True}],
}

LAMP, GIFT, OVER_100 = {"sku": "BRASS-LAMP"}, {"code": "GIFT"}, {"name": "Over 100"}
SHIPPING, EUROPE, SHOP_AB = {"uri": "standard"}, {"name": "Europe"}, {"name": "Shop AB"}
DEFAULT, SPRING = {"name": "Default"}, {"name": "Spring"}

# The list, a row of something that exists, and what of it is different afterwards.
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("warehouses", {"name": "Main"}, {}),
    ("warehouses", {"name": "Main", "threshold": None}, {"threshold": 0}),
    ("allocationRules", DEFAULT, {}),
    ("allocationRules", {**DEFAULT, "split": None}, {"split": "none"}),
    ("allocationRules", {**DEFAULT, "warehouses": ["Shop"]}, {"warehouses": ["Shop"]}),
    ("pricelists", {"name": "EUR"}, {}),
    ("pricelists", {"name": "EUR", "currency": "SEK"}, {"currency": "SEK"}),
    ("shippingOptions", SHIPPING, {}),
    ("shippingOptions", {**SHIPPING, "name": "Slow"}, {"name": "Slow"}),
    ("shippingOptions", {**SHIPPING, "default": None}, {"default": False}),
    ("shippingOptions", {**SHIPPING, "countries": ["NO"]}, {"countries": ["NO"]}),
    (
        "shippingOptions",
        {**SHIPPING, "price": {"USD": 6, "SEK": None}},
        {"price": {"EUR": "4.90", "USD": "6.00"}},
    ),
    ("shippingOptions", {**SHIPPING, "price": None}, {"price": {}}),
    ("markets", EUROPE, {}),
    ("markets", {**EUROPE, "pricelist": "USD"}, {"pricelist": "USD"}),
    ("markets", {**EUROPE, "countries": None}, {"countries": []}),
    ("items", LAMP, {}),
    ("items", {**LAMP, "stock": {"Main": 5}}, {"stock": {"Main": 5, "Shop": 5}}),
    ("items", {**LAMP, "stock": {"Shop": None}}, {"stock": {"Main": 100, "Shop": 0}}),
    ("items", {**LAMP, "stock": None}, {"stock": {"Main": 0, "Shop": 0}}),
    ("items", {**LAMP, "prices": {"EUR": 1}}, {"prices": {"EUR": "1.00", "USD": "60.00"}}),
    ("items", {**LAMP, "prices": {"EUR": None}}, {"prices": {"USD": "60.00"}}),
    ("items", {**LAMP, "prices": None}, {"prices": {}}),
    ("items", {**LAMP, "ean": None}, {"ean": None}),
    ("items", {**LAMP, "upc": None, "active": None}, {"upc": None, "active": True}),
    ("items", {**LAMP, "markets": None}, {"markets": None}),
    ("items", {**LAMP, "markets": []}, {"markets": []}),
    ("items", {**LAMP, "brand": None, "size": "L"}, {"brand": "", "size": "L"}),
    ("campaigns", SPRING, {}),
    ("campaigns", {**SPRING, "percent": 20}, {"percent": "20.00"}),
    ("campaigns", {**SPRING, "to": None}, {"to": None}),
    ("vouchers", GIFT, {}),
    ("vouchers", {"code": "gift"}, {"code": "gift"}),
    ("vouchers", {**GIFT, "amount": {"SEK": None, "EUR": 6}}, {"amount": {"EUR": "6.00"}}),
    ("vouchers", {**GIFT, "uses": None}, {"uses": None}),
    ("vouchers", {**GIFT, "automatic": True}, {"automatic": True}),
    ("vouchers", {**GIFT, "percent": 5, "amount": None}, {"percent": "5.00", "amount": None}),
    ("vouchers", {**OVER_100, "minimum": None}, {"minimum": None}),
    ("accounts", SHOP_AB, {}),
    (
        "accounts",
        {**SHOP_AB, "address": {"city": "Lund", "email": None}},
        {"address": {"country": "SE", "city": "Lund"}},
    ),
    ("accounts", {**SHOP_AB, "address": None}, {"address": None}),
    ("accounts", {**SHOP_AB, "buyers": [{"name": "Eva"}]}, {}),
    (
        "accounts",
        {**SHOP_AB, "buyers": [{"id": 1, "default": None}, {"id": 2, "name": "Bo"}]},
        {"buyers": [{"id": 1, "name": "Eva", "default": False}, {"id": 2, "name": "Bo", "default": False}]},
    ),
    ("accounts", {**SHOP_AB, "buyers": None}, {"buyers": []}),
    ("deliveryWindows", {"name": "AW27"}, {}),
    ("deliveryWindows", {"name": "AW27", "preorder": None}, {"preorder": False}),
]

EITHER = "a voucher has either percent or amount; give it the one, and null where it has the other"


def whole(engine: Engine) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(exported(engine))
    return document


def faults_of(engine: Engine, catalog: dict[str, Any]) -> list[str]:
    with pytest.raises(CatalogRefusedError) as refused:
        load(engine, catalog)
    return list(refused.value.faults)


def is_row(found: dict[str, Any], row: dict[str, Any]) -> bool:
    known = next(name for name in ("code", "sku", "uri", "name") if name in row)
    return str(found[known]).casefold() == str(row[known]).casefold()


@pytest.mark.parametrize(("name", "row", "changed"), CHANGES)
def test_a_row_of_something_that_exists_changes_what_it_names_and_nothing_else(
    engine: Engine, name: str, row: dict[str, Any], changed: dict[str, Any]
) -> None:
    put(engine, RICH)
    before = whole(engine)

    load(engine, {name: [row]})
    after, versions = whole(engine), row_versions(engine)
    again = load(engine, {name: [row]})

    expected = [{**found, **(changed if is_row(found, row) else {})} for found in before[name]]
    assert after == {**before, name: expected}
    assert not again.changed
    assert row_versions(engine) == versions


def test_an_export_changes_nothing_and_brings_back_what_has_been_cleared_or_set(engine: Engine) -> None:
    put(engine, RICH)
    execute(engine, "UPDATE items SET upc = NULL")
    before, versions = exported(engine), row_versions(engine)

    assert not load(engine, before).changed
    assert row_versions(engine) == versions
    load(engine, {"items": [{**LAMP, "upc": "5", "ean": None}], "vouchers": [{**OVER_100, "uses": 1}]})
    load(engine, before)

    assert exported(engine) == before


def test_a_new_row_must_have_what_one_that_exists_may_leave_out(engine: Engine) -> None:
    put(engine, RICH)
    before = row_versions(engine)

    assert faults_of(
        engine,
        {
            "allocationRules": [{"name": "Default"}, {"name": "New"}],
            "pricelists": [{"name": "SEK"}],
            "shippingOptions": [{"uri": "fast"}],
            "markets": [{"name": "Asia"}],
            "campaigns": [{"name": "Autumn"}],
            "vouchers": [{"code": "TEN"}, {"name": "Loyal", "percent": 1}],
        },
    ) == [
        "allocationRules[1].warehouses: is required; allocation rule 'New' is new",
        "pricelists[0].currency: is required; pricelist 'SEK' is new",
        "shippingOptions[0].name: is required; shipping option 'fast' is new",
        "shippingOptions[0].countries: is required; shipping option 'fast' is new",
        "markets[0].pricelist: is required; market 'Asia' is new",
        "markets[0].allocationRule: is required; market 'Asia' is new",
        "campaigns[0].pricelist: is required; campaign 'Autumn' is new",
        "campaigns[0].percent: is required; campaign 'Autumn' is new",
        "campaigns[0].skus: is required; campaign 'Autumn' is new",
        "vouchers[1].code: is missing; only a voucher with automatic: true goes without",
        f"vouchers[0].percent: {EITHER}",
    ]
    assert faults_of(engine, {"accounts": [{**SHOP_AB, "buyers": [{"id": 1}, {"id": 7}]}]}) == [
        "accounts[0].buyers[1].name: is required; 'Shop AB' has no buyer 7 yet"
    ]
    assert row_versions(engine) == before


@pytest.mark.parametrize(
    ("name", "row", "fault"),
    [
        ("markets", {**EUROPE, "pricelist": None}, "markets[0].pricelist: is null, and cannot be cleared"),
        ("campaigns", {**SPRING, "from": "2028-01-01"}, "campaigns[0].to: is not after from"),
        ("vouchers", {**GIFT, "percent": 5}, "vouchers[0].percent: a voucher has either"),
        ("vouchers", {**OVER_100, "automatic": None}, "vouchers[0].code: is missing; only"),
        ("accounts", {**SHOP_AB, "address": {"country": None}}, "accounts[0].address.country: is required"),
        ("accounts", {**SHOP_AB, "address": {"country": "US"}}, "accounts[0].address.state: is required"),
        ("accounts", {"name": "New", "address": {"city": "A"}}, "accounts[0].address.country: is required"),
    ],
)
def test_what_a_row_would_be_as_a_whole_is_checked(
    engine: Engine, name: str, row: dict[str, Any], fault: str
) -> None:
    put(engine, RICH)

    (told,) = faults_of(engine, {name: [row]})

    assert told.startswith(fault)


def test_a_row_that_keeps_its_ean_does_not_lose_it_to_another_of_the_file(engine: Engine) -> None:
    put(engine, RICH)

    faults = faults_of(engine, {"items": [{"sku": "NEW-LAMP", "ean": "7301"}, LAMP]})

    assert faults == ["items[0].ean: '7301' is the ean of item 'BRASS-LAMP' in the database; choose another"]


def test_a_second_default_of_a_country_is_seen_in_rows_that_name_only_a_part(engine: Engine) -> None:
    put(engine, RICH)
    load(engine, {"shippingOptions": [{"uri": "fast", "name": "Fast", "countries": ["SE"]}]})

    assert faults_of(engine, {"shippingOptions": [{"uri": "fast", "default": True}]}) == [
        "shippingOptions[0].default: 'standard' is the default of SE; a country has one"
    ]


def test_codes_that_differ_only_in_case_or_form_are_one_voucher(engine: Engine) -> None:
    load(engine, {"vouchers": [{"code": "ÅRE", "percent": 10, "uses": 5}]})

    load(engine, {"vouchers": [{"code": "a\u030are", "uses": 6}]})

    assert rows(engine, "SELECT code, percent::text, uses FROM vouchers") == [("åre", "10.00", 6)]
    twice = [{"code": "TEN", "percent": 1}, {"code": "ten", "percent": 2}]
    assert "vouchers[1].code: 'ten' is the code of vouchers[0] already, there spelled 'TEN'" in faults_of(
        engine, {"vouchers": twice}
    )


def test_no_two_vouchers_have_one_code(engine: Engine) -> None:
    load(engine, {"vouchers": [{"code": "TEN", "percent": 10}]})

    with pytest.raises(IntegrityError, match="vouchers_code_key_key"), engine.begin() as connection:
        connection.execute(text("INSERT INTO vouchers (code, code_key, percent) VALUES ('Ten', 'ten', 5)"))


def test_a_code_that_was_written_without_its_key_is_found(engine: Engine) -> None:
    execute(engine, "INSERT INTO vouchers (code, percent) VALUES ('GIFT', 10)")

    load(engine, {"vouchers": [{"code": "gift", "uses": 2}]})

    assert rows(engine, "SELECT code, code_key, uses FROM vouchers") == [("gift", "gift", 2)]
    execute(engine, "INSERT INTO vouchers (code, percent) VALUES ('Gift', 10)")
    assert faults_of(engine, {"vouchers": []}) == [
        "vouchers: the database has codes 'gift' and 'Gift', which are one; change one of them there"
    ]


def test_of_two_vouchers_with_one_code_the_migration_keeps_the_one_that_orders_found(engine: Engine) -> None:
    scripts = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations"))
    module = scripts.get_revision("0011").module
    with engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            module.downgrade()
            for code, used in (("TEN", 2), ("ten (1)", 0), ("ten", 0), ("GIFT", 0)):
                connection.execute(
                    text("INSERT INTO vouchers (code, percent, uses, used) VALUES (:code, 10, 9, :used)"),
                    {"code": code, "used": used},
                )
            connection.execute(text("INSERT INTO vouchers (name, automatic, percent) VALUES ('A', true, 1)"))
            module.upgrade()

        found = connection.execute(text("SELECT code, code_key, uses FROM vouchers ORDER BY id")).all()
        connection.rollback()

    assert [tuple(row) for row in found] == [
        ("TEN (1) (1)", "ten (1) (1)", 2),
        ("ten (1)", "ten (1)", 9),
        ("ten", "ten", 9),
        ("GIFT", "gift", 9),
        (None, None, None),
    ]


def test_when_and_where_a_voucher_is_valid_is_kept_exported_cleared_and_checked(engine: Engine) -> None:
    put(engine, RICH)
    row = {"code": "SPRING", "percent": 5, "from": "2027-03-01", "to": "2027-05-31", "markets": ["Europe"]}
    load(engine, {"vouchers": [{**row, "active": False}]})
    load(engine, {"vouchers": [{"code": "SPRING", "uses": 7}]})

    whole = json.loads(exported(engine))
    [found] = [voucher for voucher in whole["vouchers"] if voucher["code"] == "SPRING"]
    assert (found["active"], found["markets"], found["uses"]) == (False, ["Europe"], 7)
    assert (found["from"][:10], found["to"][:10]) == ("2027-03-01", "2027-06-01")
    assert not load(engine, whole).changed

    with pytest.raises(CatalogRefusedError, match=r"vouchers\[0\].to: is not after from"):
        load(engine, {"vouchers": [{"code": "SPRING", "to": "2027-01-31"}]})
    with pytest.raises(CatalogRefusedError, match=r"vouchers\[0\].markets\[0\]: no market is named 'Mars'"):
        load(engine, {"vouchers": [{"code": "SPRING", "markets": ["Mars"]}]})

    cleared = {"code": "SPRING", "from": None, "to": None, "markets": None, "active": None}
    load(engine, {"vouchers": [cleared]})
    query = "SELECT active, starts_at, ends_at, market_ids FROM vouchers WHERE code = 'SPRING'"
    assert rows(engine, query) == [(True, None, None, None)]
