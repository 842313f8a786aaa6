"""Completing a prepared order: stock is taken now, and what is missing by now is back-ordered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.domain.completion import already_shipping, no_such_order, place_prepared
from shared.domain.outcome import Code
from tests.support.domain_shop import (
    BRASS_LAMP,
    MAIN,
    OLD_CLOCK,
    RED_STOOL,
    SHOP,
    TIN_KETTLE,
    draft,
    line_request,
    stock,
)


def test_a_prepared_order_takes_what_is_there_and_back_orders_the_rest() -> None:
    available = stock(lamp_main=2)
    prepared = draft(
        line_request(BRASS_LAMP, 2), line_request(RED_STOOL), order_number=77, voucher_value=Decimal("1.00")
    )

    placement = place_prepared(prepared, available)

    (part,) = placement.parts
    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 0), (1, 1)]
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 2}
    assert part.totals == prepared.totals


def test_a_prepared_order_may_split_now_and_its_first_part_keeps_the_number() -> None:
    available = stock(lamp_main=1, lamp_shop=1)
    prepared = draft(line_request(BRASS_LAMP, 2), order_number=77, names={"warehouse_group": "By warehouse"})

    placement = place_prepared(prepared, available)

    assert placement.numbered(iter([101])).numbers == (77, 101)
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 1, (BRASS_LAMP.id, SHOP): 1}


def test_what_is_missing_by_now_goes_apart_where_the_rule_splits_by_availability() -> None:
    available = stock(lamp_main=2)
    prepared = draft(
        line_request(BRASS_LAMP, 2, "10.00"),
        line_request(RED_STOOL, 1, "10.00"),
        order_number=77,
        shipping_value=Decimal("5.00"),
        voucher_value=Decimal("0.01"),
        names={"warehouse_group": "By availability"},
    )

    ready, waiting = place_prepared(prepared, available).parts

    assert [(pl.line.sku, pl.back_ordered) for pl in ready.lines] == [("BRASS-LAMP", 0)]
    assert [(pl.line.sku, pl.back_ordered) for pl in waiting.lines] == [("RED-STOOL", 1)]
    assert (ready.totals.shipping, waiting.totals.shipping) == (Decimal("5.00"), Decimal("0.00"))
    assert ready.totals.grand + waiting.totals.grand == prepared.totals.grand


def test_an_order_of_which_everything_is_missing_by_now_is_back_ordered_whole() -> None:
    available = stock()

    (part,) = place_prepared(draft(line_request(BRASS_LAMP, 2), line_request(TIN_KETTLE)), available).parts

    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 2), (1, 1)]
    assert (part.reservations, dict(available.reserved())) == ((), {})


@pytest.mark.parametrize(
    "untouched", [{"adjust_stock": False}, {"names": {"delivery_window": "AW27"}}], ids=str
)
def test_an_order_that_takes_no_stock_is_completed_without(untouched: dict[str, Any]) -> None:
    available = stock(lamp_main=2)

    (part,) = place_prepared(draft(line_request(BRASS_LAMP, 2), **untouched), available).parts

    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 0)]
    assert dict(available.reserved()) == {}


def test_what_force_create_let_in_stays_back_ordered_although_it_is_in_stock() -> None:
    prepared = draft(line_request(OLD_CLOCK), line_request(BRASS_LAMP), force_create=True)

    (part,) = place_prepared(prepared, stock(lamp_main=1)).parts

    assert [(pl.line.sku, pl.back_ordered) for pl in part.lines] == [("OLD-CLOCK", 1), ("BRASS-LAMP", 0)]


def test_an_unknown_number_and_a_change_that_comes_too_late_are_told_with_their_values() -> None:
    unknown, late = no_such_order("77"), already_shipping("By warehouse")

    assert (unknown.code, unknown.pointer, unknown.msg) == (Code.GENERAL, "", "no order has number '77'")
    assert (late.code, late.pointer) == (Code.GENERAL, "/warehouseGroup")
    assert late.msg.startswith("'By warehouse' comes too late")
