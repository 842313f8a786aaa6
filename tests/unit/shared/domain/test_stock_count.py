"""Counts find their stock keys, or are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.stock_count import StockCount, physical_after, resolve_counts

ITEMS = {
    "7301": {1: "BRASS-LAMP"},
    "BRASS-LAMP": {1: "BRASS-LAMP"},
    "RED-STOOL": {2: "RED-STOOL"},
    "BOTH": {2: "RED-STOOL", 1: "BRASS-LAMP"},
}
WAREHOUSES = {None: 10, "Main": 10, "Shop": 20}


def told(*counts: StockCount) -> list[tuple[str, str, str]]:
    faults = resolve_counts(counts, ITEMS, WAREHOUSES).faults
    return [(fault.pointer, fault.reason.name, fault.msg) for fault in faults]


def test_counts_by_different_names_are_of_one_stock_key() -> None:
    by_ean, by_sku = StockCount(0, "7301", 5), StockCount(1, "BRASS-LAMP", 5, "Main")

    resolved = resolve_counts([by_ean, by_sku], ITEMS, WAREHOUSES)

    assert resolved.by_stock_key == {(1, 10): [by_ean]}
    assert resolved.faults == []


def test_counts_of_one_stock_key_that_differ_count_for_nothing() -> None:
    several = [StockCount(0, "7301", 5), StockCount(1, "RED-STOOL", 1), StockCount(2, "BRASS-LAMP", 6)]

    assert resolve_counts(several, ITEMS, WAREHOUSES).by_stock_key == {(2, 10): [several[1]]}
    said = "says something else of the same item and warehouse; neither was taken: send the one that is right"
    assert told(*several) == [
        (f"/products/{at}", "sent_twice", f"products[{other}] {said}") for at, other in ((0, 2), (2, 0))
    ]


def test_a_count_and_a_change_of_one_stock_key_count_for_nothing() -> None:
    both = [StockCount(0, "7301", 5), StockCount(1, "7301", 5, is_change=True)]

    assert resolve_counts(both, ITEMS, WAREHOUSES).by_stock_key == {}
    assert [pointer for pointer, _, _ in told(*both)] == ["/products/0", "/products/1"]


@pytest.mark.parametrize("units", [(5, -2), (5, 5)])
def test_changes_of_one_stock_key_add_up(units: tuple[int, int]) -> None:
    both = [StockCount(at, "7301", change, is_change=True) for at, change in enumerate(units)]

    resolved = resolve_counts(both, ITEMS, WAREHOUSES)

    assert (resolved.by_stock_key, resolved.faults) == ({(1, 10): both}, [])
    assert physical_after(both, 100) == 100 + sum(units)
    assert physical_after([replace(both[0], is_change=False)], 100) == 5


def test_one_item_in_two_warehouses_has_two_stock_keys() -> None:
    main, shop = StockCount(0, "7301", 5), StockCount(1, "7301", 6, "Shop")

    assert resolve_counts([main, shop], ITEMS, WAREHOUSES).by_stock_key == {(1, 10): [main], (1, 20): [shop]}


def test_a_count_that_names_no_stock_key_is_told_where_it_stands() -> None:
    assert told(StockCount(3, "GHOST", 5, "Moon"), StockCount(4, "BOTH", 5), StockCount(5, "7301", 1)) == [
        ("/products/3/product", "item_unknown", "no item has the EAN, UPC or SKU 'GHOST'"),
        ("/products/3/warehouse", "warehouse_unknown", "no warehouse is named 'Moon'"),
        (
            "/products/4/product",
            "item_ambiguous",
            "'BOTH' means 2 items, of SKU 'BRASS-LAMP', 'RED-STOOL'; write a code that one of them has alone",
        ),
    ]


def test_without_any_warehouse_a_count_says_what_to_do() -> None:
    (fault,) = resolve_counts([StockCount(0, "7301", 5)], ITEMS, {}).faults

    assert (fault.pointer, fault.msg) == (
        "/products/0/warehouse",
        "there is no warehouse yet; load a catalog that has one",
    )
