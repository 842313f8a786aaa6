"""Whole orders first, else line by line down the list; all lines or none (contract §6, "Stock")."""

from __future__ import annotations

import pytest

from shared.domain.allocation import (
    Allocation,
    AvailableStock,
    Demand,
    Missing,
    Reservation,
    Shortage,
    allocate,
    allocate_what_is_there,
)
from shared.domain.catalog import AllocationRule
from tests.support.domain_shop import BRASS_LAMP, DEPOT, MAIN, RED_STOOL, SHOP, TIN_KETTLE, stock

RULE = AllocationRule(1, "Default", (MAIN, SHOP, DEPOT))
LAMP, STOOL, KETTLE = BRASS_LAMP.id, RED_STOOL.id, TIN_KETTLE.id


def reserved(allocation: Allocation | Shortage) -> list[tuple[int, int, int]]:
    assert isinstance(allocation, Allocation), allocation
    return [
        (reservation.line, reservation.warehouse_id, reservation.quantity)
        for reservation in allocation.reservations
    ]


def test_the_first_warehouse_of_the_list_serves_what_it_can() -> None:
    available = stock(lamp_main=2, lamp_shop=9)

    allocation = allocate([Demand(0, LAMP, 2)], RULE, available)

    assert allocation == Allocation((Reservation(0, LAMP, MAIN, 2),))


def test_a_later_warehouse_that_covers_the_whole_order_wins_over_an_earlier_one_that_covers_a_part() -> None:
    available = stock(lamp_main=5, stool_main=1, lamp_shop=1, stool_shop=2)

    allocation = allocate([Demand(0, LAMP, 1), Demand(1, STOOL, 2)], RULE, available)

    assert reserved(allocation) == [(0, SHOP, 1), (1, SHOP, 2)]


def test_an_order_that_no_warehouse_covers_is_taken_line_by_line_down_the_list() -> None:
    available = stock(lamp_main=2, lamp_depot=5, stool_shop=1, stool_depot=1)

    allocation = allocate([Demand(0, LAMP, 6), Demand(1, STOOL, 2)], RULE, available)

    assert reserved(allocation) == [(0, MAIN, 2), (0, DEPOT, 4), (1, SHOP, 1), (1, DEPOT, 1)]


def test_several_lines_of_one_item_share_what_is_there() -> None:
    available = stock(lamp_main=3, lamp_shop=2)

    allocation = allocate([Demand(0, LAMP, 2), Demand(1, LAMP, 2), Demand(2, LAMP, 1)], RULE, available)

    assert reserved(allocation) == [(0, MAIN, 2), (1, MAIN, 1), (1, SHOP, 1), (2, SHOP, 1)]


def test_lines_of_one_item_that_fit_one_by_one_but_not_together_are_a_shortage() -> None:
    available = stock(lamp_main=3)

    shortage = allocate([Demand(0, LAMP, 2), Demand(1, STOOL, 0), Demand(2, LAMP, 2)], RULE, available)

    assert shortage == Shortage((Missing(LAMP, wanted=4, available=3, lines=(0, 2)),))


def test_one_missing_line_leaves_the_stock_of_all_others() -> None:
    available = stock(lamp_main=9)

    shortage = allocate([Demand(0, LAMP, 1), Demand(1, STOOL, 1)], RULE, available)

    assert shortage == Shortage((Missing(STOOL, wanted=1, available=0, lines=(1,)),))
    assert available.units(LAMP, MAIN) == 9
    assert not available.reserved()


def test_every_item_that_is_missing_is_told() -> None:
    shortage = allocate([Demand(0, LAMP, 1), Demand(1, STOOL, 2)], RULE, stock(stool_shop=1))

    assert isinstance(shortage, Shortage)
    assert [(m.item_id, m.wanted, m.available) for m in shortage.missing] == [(LAMP, 1, 0), (STOOL, 2, 1)]


def test_warehouses_outside_the_rule_do_not_count() -> None:
    available = stock(lamp_depot=100)

    shortage = allocate([Demand(0, LAMP, 1)], AllocationRule(1, "Shop only", (SHOP,)), available)

    assert shortage == Shortage((Missing(LAMP, wanted=1, available=0, lines=(0,)),))


def test_allocating_reserves_nothing_by_itself() -> None:
    available = stock(lamp_main=5)

    allocation = allocate([Demand(0, LAMP, 2)], RULE, available)
    before = available.units(LAMP, MAIN)
    assert isinstance(allocation, Allocation)
    available.reserve(allocation.reservations)

    assert before == 5
    assert available.units(LAMP, MAIN) == 3
    assert available.reserved() == {(LAMP, MAIN): 2}


def test_a_threshold_that_is_above_the_stock_leaves_nothing_to_sell() -> None:
    # lock_stock subtracts the threshold, so that what is available may start below 0.
    available = AvailableStock({(LAMP, MAIN): -2, (LAMP, SHOP): 1})

    left = available.units(LAMP, MAIN)
    allocation = allocate([Demand(0, LAMP, 1)], RULE, available)

    assert left == 0
    assert reserved(allocation) == [(0, SHOP, 1)]


def test_an_order_that_wants_nothing_of_the_stock_is_covered() -> None:
    assert allocate([], RULE, stock()) == Allocation(())
    assert allocate([], AllocationRule(1, "No warehouse", ()), stock()) == Allocation(())


def test_a_rule_without_warehouses_covers_nothing() -> None:
    rule = AllocationRule(1, "No warehouse", ())

    shortage = allocate([Demand(0, LAMP, 1)], rule, stock(lamp_main=5))

    assert isinstance(shortage, Shortage)


@pytest.mark.parametrize(
    ("lamps", "expected_reservations", "back_ordered"),
    [
        (3, [(0, MAIN, 2), (1, MAIN, 1)], set()),
        (2, [(0, MAIN, 2)], {1}),
        (1, [(1, MAIN, 1)], {0}),
        (0, [], {0, 1}),
    ],
)
def test_forced_lines_are_covered_whole_in_order_or_back_ordered_whole(
    lamps: int, expected_reservations: list[tuple[int, int, int]], back_ordered: set[int]
) -> None:
    demands = [Demand(0, LAMP, 2), Demand(1, LAMP, 1)]

    allocation = allocate_what_is_there(demands, RULE, stock(lamp_main=lamps))

    assert reserved(allocation) == expected_reservations
    assert allocation.back_ordered == back_ordered


def test_forced_lines_that_are_there_still_prefer_one_warehouse_for_all_of_them() -> None:
    available = stock(lamp_main=1, lamp_shop=1, stool_shop=1)

    allocation = allocate_what_is_there(
        [Demand(0, LAMP, 1), Demand(1, STOOL, 1), Demand(2, KETTLE, 1)], RULE, available
    )

    assert reserved(allocation) == [(0, SHOP, 1), (1, SHOP, 1)]
    assert allocation.back_ordered == {2}
