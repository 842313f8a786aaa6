"""Completing a prepared order: stock is taken now, and what is missing by now is back-ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.allocation import AvailableStock
from shared.domain.completion import (
    AskedCompletion,
    Completion,
    Misread,
    OrderChange,
    PreparedOrder,
    StoredOrder,
    already_shipping,
    decide_completions,
    demands_of,
    no_such_order,
    place_prepared,
)
from shared.domain.draft import Draft
from shared.domain.outcome import Code, Fault, Rejected
from shared.domain.reasons import NOT_TEXT
from tests.support.domain_shop import (
    BRASS_LAMP,
    MAIN,
    OLD_CLOCK,
    PLAIN,
    RED_STOOL,
    SHOP,
    TIN_KETTLE,
    draft,
    line_request,
    stock,
)


def prepared_from(agreed: Draft) -> PreparedOrder:
    return PreparedOrder(agreed.lines, agreed.rule, agreed.totals, agreed.currency, agreed.demands)


def stored(agreed: Draft, **changes: Any) -> StoredOrder:
    """What a draft is as a prepared order; in market 1, in euros."""
    number = agreed.request.order_number or 77
    whole = StoredOrder(
        cancelled=False,
        number=number,
        numbers=(number,),
        prepared=True,
        market_id=agreed.market.id,
        currency=agreed.currency,
        rule_id=agreed.rule.id,
        totals=agreed.totals,
        adjust_stock=agreed.request.adjust_stock,
        delivery_window=agreed.request.names.delivery_window,
        lines=agreed.lines,
    )
    return replace(whole, **changes)


def asked(number: int, **said: Any) -> AskedCompletion:
    return AskedCompletion(number, no_such_order(number, "/order"), Completion(order=number, **said))


def completed(
    *orders: StoredOrder, available: AvailableStock, by: Sequence[AskedCompletion] = ()
) -> list[OrderChange | Rejected]:
    """Decide completions, of each order one unless told otherwise."""
    known = {number: one for one in orders for number in one.numbers}
    return decide_completions(by or [asked(one.number) for one in orders], known, PLAIN, available)


def test_a_prepared_order_takes_what_is_there_and_back_orders_the_rest() -> None:
    available = stock(lamp_main=2)
    prepared = draft(
        line_request(BRASS_LAMP, 2), line_request(RED_STOOL), order_number=77, voucher_value=Decimal("1.00")
    )

    (part,) = place_prepared(prepared_from(prepared), available)

    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 0), (1, 1)]
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 2}
    assert part.totals == prepared.totals


def test_a_prepared_order_may_split_now_and_its_first_part_keeps_the_number() -> None:
    available = stock(lamp_main=1, lamp_shop=1)
    prepared = draft(line_request(BRASS_LAMP, 2), order_number=77, names={"warehouse_group": "By warehouse"})

    (change,) = completed(stored(prepared), available=available)
    assert isinstance(change, OrderChange)
    change.number_parts(iter([101]))

    assert (len(change.parts), change.numbers) == (2, (77, 101))
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

    ready, waiting = place_prepared(prepared_from(prepared), available)

    assert [(pl.line.sku, pl.back_ordered) for pl in ready.lines] == [("BRASS-LAMP", 0)]
    assert [(pl.line.sku, pl.back_ordered) for pl in waiting.lines] == [("RED-STOOL", 1)]
    assert (ready.totals.shipping, waiting.totals.shipping) == (Decimal("5.00"), Decimal("0.00"))
    assert ready.totals.grand + waiting.totals.grand == prepared.totals.grand


def test_an_order_of_which_everything_is_missing_by_now_is_back_ordered_whole() -> None:
    available = stock()

    wanted = draft(line_request(BRASS_LAMP, 2), line_request(TIN_KETTLE))

    (part,) = place_prepared(prepared_from(wanted), available)

    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 2), (1, 1)]
    assert (part.reservations, dict(available.reserved())) == ((), {})


@pytest.mark.parametrize(
    "untouched", [{"adjust_stock": False}, {"names": {"delivery_window": "AW27"}}], ids=str
)
def test_an_order_that_takes_no_stock_is_completed_without(untouched: dict[str, Any]) -> None:
    available = stock(lamp_main=2)

    wanted = stored(draft(line_request(BRASS_LAMP, 2), order_number=77, **untouched))

    (change,) = completed(wanted, available=available)
    assert isinstance(change, OrderChange)
    (part,) = change.parts

    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 0)]
    assert dict(available.reserved()) == {}


def test_what_force_create_let_in_stays_back_ordered_although_it_is_in_stock() -> None:
    prepared = draft(line_request(OLD_CLOCK), line_request(BRASS_LAMP), force_create=True)

    (part,) = place_prepared(prepared_from(prepared), stock(lamp_main=1))

    assert [(pl.line.sku, pl.back_ordered) for pl in part.lines] == [("OLD-CLOCK", 1), ("BRASS-LAMP", 0)]


def test_an_unknown_number_and_a_change_that_comes_too_late_are_told_with_their_values() -> None:
    unknown, late = no_such_order("77"), already_shipping("By warehouse")

    assert (unknown.code, unknown.pointer, unknown.msg) == (Code.GENERAL, "", "no order has number '77'")
    assert (late.code, late.pointer) == (Code.GENERAL, "/warehouseGroup")
    assert late.msg.startswith("'By warehouse' comes too late")


def test_of_two_completions_of_one_order_the_second_sees_what_the_first_has_done() -> None:
    available = stock(lamp_main=5)
    lamps = stored(draft(line_request(BRASS_LAMP, 2), order_number=77))
    by = [
        asked(77, payment={"id": 1}, details={"comment": "first", "po_number": "P"}),
        asked(77, warehouse_group="By warehouse"),
        asked(77, payment={"id": 2}, details={"comment": "second"}),
    ]

    first, late, again = completed(lamps, available=available, by=by)

    assert isinstance(first, OrderChange)
    assert again is first
    assert isinstance(late, Rejected)
    assert late.faults == (already_shipping("By warehouse"),)
    assert first.payments == [{"id": 1}, {"id": 2}]
    assert first.details == {"comment": "second", "po_number": "P"}
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 2}


def test_a_completion_that_is_rejected_changes_nothing_for_those_behind_it() -> None:
    available = stock(lamp_main=1, lamp_shop=1)
    lamps = stored(draft(line_request(BRASS_LAMP, 2), order_number=77))
    misread = Misread((Fault(NOT_TEXT, "/comment", "5 is not text"),), order=77)
    by = [
        asked(77, warehouse_group="Nowhere", details={"comment": "lost"}),
        replace(asked(77), read=misread),
        asked(77, warehouse_group="By warehouse"),
    ]

    nowhere, not_read, done = completed(lamps, available=available, by=by)

    assert isinstance(nowhere, Rejected)
    assert isinstance(not_read, Rejected)
    assert isinstance(done, OrderChange)
    assert (len(done.parts), done.details) == (2, {})


@pytest.mark.parametrize("market_ids", [frozenset({2}), frozenset()], ids=str)
def test_an_order_of_another_market_is_told_as_one_that_is_not_there(market_ids: frozenset[int]) -> None:
    lamps = stored(draft(order_number=77))
    theirs, nobodys = (replace(asked(number), market_ids=market_ids) for number in (77, 78))

    of_another, unknown = completed(lamps, available=stock(lamp_main=1), by=[theirs, nobodys])

    assert isinstance(of_another, Rejected)
    assert isinstance(unknown, Rejected)
    assert (of_another.code, of_another.msg) == (Code.GENERAL, "order: no order has number 77")
    assert unknown == replace(of_another, msg=unknown.msg, faults=unknown.faults)


def test_any_part_of_a_completed_order_stands_for_it_and_takes_no_stock() -> None:
    available = stock(lamp_main=5)
    whole = stored(draft(line_request(BRASS_LAMP, 2), order_number=77), numbers=(77, 80), prepared=False)

    (change,) = completed(whole, available=available, by=[asked(80, payment={"id": 1})])

    assert isinstance(change, OrderChange)
    change.number_parts(iter(()))
    assert (change.order.number, change.numbers, change.parts) == (77, (77, 80), ())
    assert demands_of(whole, PLAIN) == ()
    assert not available.reserved()


_WISHES = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from([None, "Default", "By warehouse", "By availability", "Nowhere"])
    ),
    max_size=12,
)


@given(_WISHES, st.lists(st.integers(1, 4), min_size=5, max_size=5), st.integers(0, 6), st.integers(0, 6))
def test_completions_together_come_to_what_they_come_to_one_after_the_other(
    wishes: list[tuple[int, str | None]], quantities: list[int], main: int, shop: int
) -> None:
    orders = {
        n: stored(draft(line_request(BRASS_LAMP, quantity), line_request(RED_STOOL), order_number=n))
        for n, quantity in enumerate(quantities, 1)
    }
    by = [asked(n, warehouse_group=group) for n, group in wishes]
    together, apart = (stock(lamp_main=main, lamp_shop=shop, stool_main=3) for _ in range(2))

    decided = decide_completions(by, orders, PLAIN, together)

    # One at a time, each from what those before it have left, in the database as it were.
    for one, decision in zip(by, decided, strict=True):
        (alone,) = decide_completions([one], orders, PLAIN, apart)
        assert isinstance(alone, Rejected) == isinstance(decision, Rejected)
        if isinstance(alone, OrderChange) and isinstance(decision, OrderChange) and alone.parts:
            assert alone.parts == decision.parts
            orders[alone.order.number] = replace(alone.order, prepared=False, rule_id=alone.rule_id)
    assert together.reserved() == apart.reserved()
