"""Which item a line means, and whether it may be sold (code -1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.catalog import Assortment, Item
from shared.domain.draft import Doomed, Draft
from shared.domain.order import LineRequest
from shared.domain.outcome import Code
from shared.domain.products import find_item
from shared.domain.resolve import resolve
from tests.support.domain_shop import (
    BRASS_LAMP,
    GLASS_OWL,
    OLD_CLOCK,
    RED_STOOL,
    SNOW_GLOBE,
    line_request,
    order_request,
    snapshot,
)


@pytest.mark.parametrize(
    "named",
    [
        {"sku": "BRASS-LAMP"},
        {"ean": "7310000000017"},
        {"item_id": 10},
        {"item_id": 10, "ean": "7310000000017", "sku": "BRASS-LAMP"},
    ],
)
def test_a_line_names_its_item_by_id_ean_or_sku_or_by_several_that_agree(named: dict[str, Any]) -> None:
    found = resolve(order_request(line_request(**named)), snapshot())

    assert isinstance(found, Draft)
    assert found.lines[0].item == BRASS_LAMP
    assert found.lines[0].sku == "BRASS-LAMP"


@pytest.mark.parametrize("code", ["0711719814153", "711719814153"])
@pytest.mark.parametrize("listed", ["0711719814153", "711719814153"])
@pytest.mark.parametrize("named", ["ean", "upc"])
@pytest.mark.parametrize("column", ["ean", "upc"])
def test_a_upc_and_the_ean_with_a_0_before_it_are_one_code(
    column: str, named: str, listed: str, code: str
) -> None:
    console = Item(10, "CONSOLE", listed if column == "ean" else None, listed if column == "upc" else None)
    wanted = LineRequest(1, ean=code if named == "ean" else None, upc=code if named == "upc" else None)

    item, faults = find_item(0, wanted, Assortment.of([console]), force=False)

    assert (item, faults) == (console, [])


@pytest.mark.parametrize("code", ["00711719814153", "11719814153", "07117198141530", "\u066711719814153"])
def test_no_other_code_is_taken_for_it(code: str) -> None:
    found = resolve(
        order_request(line_request(ean=code)), snapshot(items=[replace(BRASS_LAMP, ean="0711719814153")])
    )

    assert isinstance(found, Doomed)


@pytest.mark.parametrize(
    ("wanted", "pointer", "msg"),
    [
        (line_request(sku="NO-LAMP"), "/products/1/sku", "no item has SKU 'NO-LAMP'"),
        (line_request(ean="123"), "/products/1/ean", "no item has EAN '123'"),
        (line_request(item_id=99), "/products/1/id", "no item has id 99"),
        (line_request(item_id=10, sku="NO-LAMP"), "/products/1/sku", "no item has SKU 'NO-LAMP'"),
        (
            line_request(item_id=10, sku="RED-STOOL"),
            "/products/1",
            "they mean different items: id 10 is SKU 'BRASS-LAMP', sku 'RED-STOOL' is SKU 'RED-STOOL'",
        ),
        (line_request(OLD_CLOCK), "/products/1", "SKU 'OLD-CLOCK' is not active"),
        (line_request(SNOW_GLOBE), "/products/1", "SKU 'SNOW-GLOBE' is not sold in market 'Europe'"),
        (
            line_request(GLASS_OWL),
            "/products/1",
            "SKU 'GLASS-OWL' has no price in pricelist 'EUR'; send unitPrice",
        ),
    ],
)
def test_a_line_that_cannot_be_added_is_told_with_what_is_wrong(
    wanted: LineRequest, pointer: str, msg: str
) -> None:
    found = resolve(order_request(line_request(), wanted), snapshot())

    assert isinstance(found, Doomed)
    assert [(fault.code, fault.pointer, fault.msg) for fault in found.faults] == [
        (Code.PRODUCT, pointer, msg)
    ]


def test_all_that_is_wrong_with_the_lines_is_told_at_once() -> None:
    wanted = order_request(
        line_request(sku="NO-LAMP", ean="123"), line_request(OLD_CLOCK), line_request(GLASS_OWL)
    )

    found = resolve(wanted, snapshot())

    assert isinstance(found, Doomed)
    assert [fault.pointer for fault in found.faults] == [
        "/products/0/ean",
        "/products/0/sku",
        "/products/1",
        "/products/2",
    ]


def test_a_unit_price_stands_in_for_the_pricelists() -> None:
    found = resolve(order_request(line_request(GLASS_OWL, price="3.00")), snapshot())

    assert isinstance(found, Draft)


@pytest.mark.parametrize(
    "wanted", [line_request(OLD_CLOCK), line_request(SNOW_GLOBE), line_request(sku="NO-LAMP", price="1.00")]
)
def test_force_create_lets_in_what_may_not_be_sold_but_ships_none_of_it(wanted: LineRequest) -> None:
    found = resolve(order_request(wanted, force_create=True), snapshot())

    assert isinstance(found, Draft)
    assert not found.lines[0].shippable
    assert found.demands == ()


@pytest.mark.parametrize(
    ("wanted", "msg"),
    [
        (line_request(sku="NO-LAMP"), "SKU 'NO-LAMP' has no price in pricelist 'EUR'; send unitPrice"),
        (line_request(item_id=10, sku="NO-LAMP"), "no item has SKU 'NO-LAMP'"),
        (
            line_request(item_id=10, sku="RED-STOOL"),
            "they mean different items: id 10 is SKU 'BRASS-LAMP', sku 'RED-STOOL' is SKU 'RED-STOOL'",
        ),
    ],
)
def test_force_create_does_not_guess_a_price_or_which_of_two_items_is_meant(
    wanted: LineRequest, msg: str
) -> None:
    found = resolve(order_request(wanted, force_create=True), snapshot())

    assert isinstance(found, Doomed)
    assert [fault.msg for fault in found.faults] == [msg]


def test_an_item_of_certain_markets_is_sold_there() -> None:
    found = resolve(
        order_request(line_request(SNOW_GLOBE, price="1.00"), names={"market": "America"}),
        snapshot(),
    )

    assert isinstance(found, Draft)


def test_an_unknown_product_goes_by_whatever_name_it_was_given() -> None:
    wanted = [
        line_request(sku="A", ean="B", price="1.00"),
        line_request(ean="B", price="1.00"),
        line_request(item_id=99, price="1.00"),
    ]

    found = resolve(order_request(*wanted, force_create=True), snapshot())

    assert isinstance(found, Draft)
    assert [one.sku for one in found.lines] == ["A", "B", "99"]
    assert RED_STOOL.sku not in [one.sku for one in found.lines]
