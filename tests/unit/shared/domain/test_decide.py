"""Deciding orders in turn: each sees what the earlier ones left of stock, vouchers and numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.domain.decide import Numbered, Placement
from shared.domain.outcome import Code, Created, Prepared, Rejected
from tests.support.domain_shop import (
    BRASS_LAMP,
    CATALOG,
    MAIN,
    RED_STOOL,
    SHOP,
    decided,
    draft,
    line_request,
    stock,
)

FROM_EACH: dict[str, Any] = {"names": {"warehouse_group": "By warehouse"}}


def numbered(placement: Placement | Rejected, *automatic: int) -> Numbered:
    assert isinstance(placement, Placement), placement
    return placement.numbered(iter(automatic))


def test_the_last_unit_goes_to_the_first_order_that_wants_it() -> None:
    available = stock(lamp_main=1)

    first, second = decided(draft(), draft(), available=available)

    assert isinstance(first, Placement)
    assert isinstance(second, Rejected)
    assert (second.code, second.retryable) == (Code.STOCK, True)
    assert second.msg == "products[0]: 1 wanted, 0 available of SKU 'BRASS-LAMP'"
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 1}


def test_a_rejected_order_leaves_its_stock_to_the_next() -> None:
    available = stock(lamp_main=1)

    greedy, modest = decided(draft(line_request(quantity=2)), draft(), available=available)

    assert isinstance(greedy, Rejected)
    assert isinstance(modest, Placement)


def test_every_item_that_is_missing_is_told_where_it_is_wanted_first() -> None:
    order = draft(line_request(BRASS_LAMP, 2), line_request(RED_STOOL), line_request(BRASS_LAMP, 3))

    (rejected,) = decided(order, available=stock(lamp_main=4))

    assert isinstance(rejected, Rejected)
    assert [(fault.pointer, fault.msg) for fault in rejected.faults] == [
        ("/products/0", "5 wanted, 4 available of SKU 'BRASS-LAMP'"),
        ("/products/1", "1 wanted, 0 available of SKU 'RED-STOOL'"),
    ]


def test_an_order_that_is_rejected_already_stays_so_and_takes_nothing() -> None:
    no = Rejected(Code.MISSING, "qty is required")
    available = stock(lamp_main=1)

    first, second = decided(no, draft(), available=available)

    assert first is no
    assert isinstance(second, Placement)


def test_create_only_is_checked_against_the_stock_but_takes_none() -> None:
    available = stock(lamp_main=1)
    prepared = draft(create_only=True)

    first, second, third = decided(
        prepared, prepared, draft(line_request(quantity=2), create_only=True), available=available
    )

    assert numbered(first, 101).outcome() == Prepared(101)
    assert isinstance(second, Placement)
    assert isinstance(third, Rejected)
    assert not available.reserved()


def test_create_only_is_one_order_however_its_rule_splits() -> None:
    available = stock(lamp_main=1, lamp_shop=1)

    (prepared,) = decided(draft(line_request(quantity=2), create_only=True, **FROM_EACH), available=available)

    assert isinstance(prepared, Placement)
    assert len(prepared.parts) == 1
    assert prepared.parts[0].reservations == ()
    assert prepared.parts[0].totals == prepared.draft.totals


def test_create_only_joins_what_a_rule_would_split_by_availability_in_the_orders_own_order() -> None:
    order = draft(
        line_request(sku="NO-SUCH-THING", price="1.00"),
        line_request(BRASS_LAMP),
        create_only=True,
        force_create=True,
        names={"warehouse_group": "By availability"},
    )

    (prepared,) = decided(order, available=stock(lamp_main=1))

    assert isinstance(prepared, Placement)
    assert [pl.line.sku for pl in prepared.parts[0].lines] == ["NO-SUCH-THING", "BRASS-LAMP"]


def test_untouched_stock_is_neither_needed_nor_taken() -> None:
    available = stock()

    (placed,) = decided(draft(line_request(quantity=99), adjust_stock=False), available=available)

    assert numbered(placed, 101).outcome() == Created((101,))
    assert not available.reserved()


def test_a_preorder_window_takes_no_stock() -> None:
    available = stock()

    preorder, ordinary = decided(
        draft(catalog=CATALOG, names={"delivery_window": "AW27"}),
        draft(catalog=CATALOG, names={"delivery_window": "Now"}),
        available=available,
    )

    assert isinstance(preorder, Placement)
    assert isinstance(ordinary, Rejected)


def test_a_forced_order_is_created_with_what_is_missing_back_ordered() -> None:
    available = stock(lamp_main=1)

    (placed,) = decided(
        draft(line_request(BRASS_LAMP), line_request(RED_STOOL, 3), force_create=True), available=available
    )

    assert isinstance(placed, Placement)
    assert [(pl.quantity, pl.back_ordered) for pl in placed.parts[0].lines] == [(1, 0), (3, 3)]
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 1}


def test_a_split_order_has_a_number_for_each_part_and_the_explicit_one_comes_first() -> None:
    available = stock(lamp_main=1, lamp_shop=1)

    (placed,) = decided(draft(line_request(quantity=2), order_number=77, **FROM_EACH), available=available)

    assert isinstance(placed, Placement)
    assert placed.automatic_numbers == 1
    assert numbered(placed, 101).outcome() == Created((77, 101))
    assert [part.reservations[0].warehouse_id for part in placed.parts] == [MAIN, SHOP]


def test_automatic_numbers_are_one_for_each_part() -> None:
    (placed,) = decided(
        draft(line_request(quantity=2), **FROM_EACH), available=stock(lamp_main=1, lamp_shop=1)
    )

    assert isinstance(placed, Placement)
    assert placed.automatic_numbers == 2
    assert numbered(placed, 101, 102).numbers == (101, 102)


def test_a_number_that_an_earlier_order_of_the_slice_has_taken_is_rejected() -> None:
    first, second = decided(draft(order_number=77), draft(order_number=77), available=stock(lamp_main=9))

    assert isinstance(first, Placement)
    assert isinstance(second, Rejected)
    assert second.code is Code.NUMBER_TAKEN
    assert "77" in second.msg


def test_the_last_use_of_a_code_goes_to_one_order_and_the_other_is_told() -> None:
    gift = draft(catalog=CATALOG, names={"voucher_codes": ("GIFT",)})

    first, second = decided(gift, gift, available=stock(lamp_main=9), uses={2: 1})

    assert isinstance(first, Placement)
    assert isinstance(second, Rejected)
    assert (second.code, second.faults[0].pointer) == (Code.GENERAL, "/voucherCodes/0")
    assert second.msg == "voucherCodes[0]: voucher 'GIFT' has no uses left"


def test_a_rejected_order_uses_no_voucher() -> None:
    gift: dict[str, Any] = {"catalog": CATALOG, "names": {"voucher_codes": ("GIFT",)}}

    greedy, modest = decided(
        draft(line_request(quantity=2), **gift),
        draft(line_request(), **gift),
        available=stock(lamp_main=1),
        uses={2: 1},
    )

    assert isinstance(greedy, Rejected)
    assert isinstance(modest, Placement)
    assert modest.parts[0].totals.voucher == Decimal("5.00")


@pytest.mark.parametrize("forced", [False, True])
def test_lines_total_is_what_the_parts_come_to(forced: bool) -> None:
    order = draft(
        line_request(BRASS_LAMP, 3, "1.10"),
        line_request(RED_STOOL, 1, "0.05"),
        force_create=forced,
        **FROM_EACH,
    )

    (placed,) = decided(order, available=stock(lamp_main=2, lamp_shop=1, stool_depot=1))

    assert isinstance(placed, Placement)
    assert len(placed.parts) == 3
    assert sum(part.totals.lines for part in placed.parts) == Decimal("3.35")
