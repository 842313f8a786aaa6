"""One order or several, by the rule's split; the parts' money is the whole's, shipping charged once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.allocation import Allocation, Reservation, allocate, allocate_what_is_there
from shared.domain.catalog import SplitBy
from shared.domain.splitting import Part, split
from tests.support.domain_shop import (
    BRASS_LAMP,
    DEPOT,
    MAIN,
    OLD_CLOCK,
    RED_STOOL,
    SHOP,
    TIN_KETTLE,
    draft,
    line_request,
    stock,
)

FROM_EACH: dict[str, Any] = {"names": {"warehouse_group": "By warehouse"}}
BY_AVAILABILITY: dict[str, Any] = {"names": {"warehouse_group": "By availability"}}


def contents(parts: tuple[Part, ...]) -> list[list[tuple[str, int, int]]]:
    return [[(pl.line.sku, pl.quantity, pl.back_ordered) for pl in part.lines] for part in parts]


def test_a_rule_that_splits_nothing_keeps_all_in_one_part_whatever_ships_it() -> None:
    whole = draft(line_request(BRASS_LAMP, 3), line_request(RED_STOOL))
    allocation = allocate(whole.demands, whole.rule, stock(lamp_main=2, lamp_shop=1, stool_shop=1))
    assert isinstance(allocation, Allocation)

    parts = split(whole, allocation)

    assert contents(parts) == [[("BRASS-LAMP", 3, 0), ("RED-STOOL", 1, 0)]]
    assert parts[0].reservations == allocation.reservations
    assert parts[0].totals == whole.totals


def test_back_ordered_lines_stay_in_their_place_where_nothing_is_split() -> None:
    whole = draft(line_request(BRASS_LAMP), line_request(RED_STOOL, 2), line_request(TIN_KETTLE))
    reservations = (Reservation(0, BRASS_LAMP.id, MAIN, 1), Reservation(2, TIN_KETTLE.id, MAIN, 1))

    parts = split(whole, Allocation(reservations, frozenset({1})))

    assert contents(parts) == [[("BRASS-LAMP", 1, 0), ("RED-STOOL", 2, 2), ("TIN-KETTLE", 1, 0)]]


def test_by_warehouse_there_is_a_part_for_each_one_that_ships_in_the_rules_order() -> None:
    whole = draft(line_request(BRASS_LAMP, 3), line_request(RED_STOOL), **FROM_EACH)
    reservations = (
        Reservation(0, BRASS_LAMP.id, SHOP, 1),
        Reservation(0, BRASS_LAMP.id, MAIN, 2),
        Reservation(1, RED_STOOL.id, DEPOT, 1),
    )

    parts = split(whole, Allocation(reservations))

    assert contents(parts) == [[("BRASS-LAMP", 2, 0)], [("BRASS-LAMP", 1, 0)], [("RED-STOOL", 1, 0)]]
    assert [part.reservations[0].warehouse_id for part in parts] == [MAIN, SHOP, DEPOT]


def test_by_warehouse_what_is_back_ordered_is_a_last_part_of_its_own() -> None:
    whole = draft(line_request(BRASS_LAMP), line_request(RED_STOOL), **FROM_EACH)

    parts = split(whole, Allocation((Reservation(0, BRASS_LAMP.id, MAIN, 1),), frozenset({1})))

    assert contents(parts) == [[("BRASS-LAMP", 1, 0)], [("RED-STOOL", 1, 1)]]
    assert parts[1].reservations == ()


def test_by_warehouse_an_order_that_takes_no_stock_stays_whole() -> None:
    whole = draft(line_request(BRASS_LAMP), line_request(RED_STOOL), adjust_stock=False, **FROM_EACH)

    parts = split(whole, Allocation(()))

    assert contents(parts) == [[("BRASS-LAMP", 1, 0), ("RED-STOOL", 1, 0)]]


def test_by_availability_what_is_in_stock_and_what_is_back_ordered_go_apart() -> None:
    whole = draft(
        line_request(RED_STOOL, 5), line_request(BRASS_LAMP, 2), line_request(TIN_KETTLE), **BY_AVAILABILITY
    )
    reservations = (Reservation(1, BRASS_LAMP.id, MAIN, 1), Reservation(1, BRASS_LAMP.id, SHOP, 1))

    parts = split(whole, Allocation(reservations, frozenset({0, 2})))

    assert contents(parts) == [[("BRASS-LAMP", 2, 0)], [("RED-STOOL", 5, 5), ("TIN-KETTLE", 1, 1)]]
    assert [part.reservations for part in parts] == [reservations, ()]


def test_by_availability_an_order_that_is_all_there_or_all_missing_is_one_part() -> None:
    whole = draft(line_request(BRASS_LAMP), **BY_AVAILABILITY)

    all_there = split(whole, Allocation((Reservation(0, BRASS_LAMP.id, MAIN, 1),)))
    all_missing = split(whole, Allocation((), frozenset({0})))

    assert contents(all_there) == [[("BRASS-LAMP", 1, 0)]]
    assert contents(all_missing) == [[("BRASS-LAMP", 1, 1)]]


def test_a_product_that_may_not_be_sold_is_back_ordered_when_it_is_forced_in() -> None:
    whole = draft(line_request(OLD_CLOCK), line_request(BRASS_LAMP), force_create=True, **BY_AVAILABILITY)

    parts = split(whole, Allocation((Reservation(1, BRASS_LAMP.id, MAIN, 1),)))

    assert contents(parts) == [[("BRASS-LAMP", 1, 0)], [("OLD-CLOCK", 1, 1)]]


def test_money_of_the_parts_adds_up_and_shipping_is_charged_with_the_first() -> None:
    whole = draft(
        line_request(BRASS_LAMP, 3, "0.01"),
        line_request(RED_STOOL, 1, "9.99"),
        shipping_value=Decimal("4.90"),
        voucher_value=Decimal("10.01"),
        **FROM_EACH,
    )
    reservations = tuple(Reservation(0, BRASS_LAMP.id, place, 1) for place in (MAIN, SHOP, DEPOT))

    parts = split(whole, Allocation((*reservations, Reservation(1, RED_STOOL.id, DEPOT, 1))))

    assert [part.totals.lines for part in parts] == [Decimal("0.01"), Decimal("0.01"), Decimal("10.00")]
    assert [part.totals.shipping for part in parts] == [Decimal("4.90"), Decimal(0), Decimal(0)]
    assert sum(part.totals.voucher for part in parts) == Decimal("10.01")
    assert sum(part.totals.grand for part in parts) == whole.totals.grand
    assert all(part.totals.grand >= 0 for part in parts)


LINES = st.lists(
    st.builds(
        line_request,
        st.sampled_from([BRASS_LAMP, RED_STOOL, TIN_KETTLE]),
        st.integers(1, 9),
        st.none() | st.sampled_from(["0", "0.01", "19.99"]),
    ),
    min_size=1,
    max_size=6,
)
UNITS = st.integers(0, 60)


@given(lines=LINES, lamps=UNITS, lamps_in_shop=UNITS, stools=UNITS)
def test_an_order_that_nothing_splits_is_the_part_that_availability_leaves_whole(
    lines: list[Any], lamps: int, lamps_in_shop: int, stools: int
) -> None:
    """Nearly every order takes a short way, which must come to what the long one does."""
    whole = draft(*lines)
    there = stock(lamp_main=lamps, lamp_shop=lamps_in_shop, stool_shop=stools, kettle_main=stools)
    allocation = allocate_what_is_there(whole.demands, whole.rule, there)
    apart = split(replace(whole, rule=replace(whole.rule, split=SplitBy.AVAILABILITY)), allocation)

    parts = split(whole, allocation)

    if len(apart) == 1:
        assert parts == apart
    else:
        assert [sorted(one for part in apart for one in contents((part,))[0])] == [sorted(contents(parts)[0])]
        assert parts[0].reservations == tuple(r for part in apart for r in part.reservations)
        assert parts[0].totals == whole.totals
