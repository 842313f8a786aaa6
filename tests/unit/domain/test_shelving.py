"""Counts find their shelves, or are told apart."""

from __future__ import annotations

from shared.domain.stock_level import StockCount, shelve

ITEMS = {"7301": 1, "BRASS-LAMP": 1, "RED-STOOL": 2}
WAREHOUSES = {None: 10, "Main": 10, "Shop": 20}


def test_counts_by_different_names_land_on_one_shelf() -> None:
    by_ean, by_sku = StockCount(0, "7301", 5), StockCount(1, "BRASS-LAMP", 5, "Main")

    shelved = shelve([by_ean, by_sku], ITEMS, WAREHOUSES)

    assert shelved.by_place == {(1, 10): by_ean}
    assert (shelved.not_found, shelved.contradictory) == ([], [])


def test_counts_of_one_shelf_that_differ_count_for_nothing() -> None:
    several = [StockCount(0, "7301", 5), StockCount(1, "RED-STOOL", 1), StockCount(2, "BRASS-LAMP", 6)]

    shelved = shelve(several, ITEMS, WAREHOUSES)

    assert shelved.by_place == {(2, 10): several[1]}
    assert shelved.contradictory == [several[0], several[2]]


def test_one_item_in_two_warehouses_is_two_shelves() -> None:
    main, shop = StockCount(0, "7301", 5), StockCount(1, "7301", 6, "Shop")

    assert shelve([main, shop], ITEMS, WAREHOUSES).by_place == {(1, 10): main, (1, 20): shop}


def test_what_no_item_is_called_is_not_found() -> None:
    unknown = StockCount(0, "GHOST", 5)

    assert shelve([unknown], ITEMS, WAREHOUSES).not_found == [unknown]
