"""Cancellations: what an order has is given back once, and what is on its way is not cancelled."""

from __future__ import annotations

from shared.domain.cancellation import (
    AskedCancellation,
    Cancellation,
    CancellationRequest,
    CancellingOrder,
    decide_cancellations,
)
from shared.domain.completion import no_such_order
from shared.domain.outcome import Code, Rejected


def asked(number: int = 7, markets: frozenset[int] | None = None) -> AskedCancellation:
    return AskedCancellation(number, no_such_order(number), CancellationRequest("changed her mind"), markets)


def decided(*wanted: AskedCancellation, orders: list[CancellingOrder]) -> list[Cancellation | int | Rejected]:
    return decide_cancellations(wanted, {order.number: order for order in orders})


def test_an_order_is_cancelled_once_however_often_it_is_asked_for() -> None:
    first, again = decided(asked(), asked(), orders=[CancellingOrder(7, 7, 1, {7: "created"})])

    assert isinstance(first, Cancellation)
    assert (first.order.state, first.reason, first.gives_back_uses) == ("cancelled", "changed her mind", True)
    assert again == 7


def test_vouchers_are_given_back_with_the_last_part() -> None:
    parts = {7: "created", 8: "created"}
    orders = [CancellingOrder(7, 7, 1, parts), CancellingOrder(8, 7, 1, parts)]

    first, last, again = decided(asked(7), asked(8), asked(7), orders=orders)

    assert isinstance(first, Cancellation)
    assert isinstance(last, Cancellation)
    assert (first.gives_back_uses, last.gives_back_uses, again) == (False, True, 7)


def test_what_has_shipped_in_part_is_not_cancelled_and_it_is_told_what() -> None:
    order = CancellingOrder(7, 7, 1, {7: "partially_shipped"}, {901: 2, 902: 1})

    (decision,) = decided(asked(), orders=[order])

    assert isinstance(decision, Rejected)
    (fault,) = decision.faults
    assert (fault.code, fault.reason.name) == (Code.GENERAL, "already_shipped")
    assert fault.params == {"shipped": {"901": 2, "902": 1}}
    assert "3 units have shipped" in fault.msg
    assert order.state == "partially_shipped"


def test_a_prepared_order_can_be_cancelled() -> None:
    (decision,) = decided(asked(), orders=[CancellingOrder(7, 7, 1, {7: "prepared"})])

    assert isinstance(decision, Cancellation)
    assert decision.gives_back_uses


def test_another_markets_order_looks_like_an_unknown_one() -> None:
    order = CancellingOrder(7, 7, 2, {7: "created"})

    hidden, unknown = decided(asked(7, frozenset({1})), asked(8), orders=[order])

    assert isinstance(hidden, Rejected)
    assert isinstance(unknown, Rejected)
    assert (hidden.msg, unknown.msg) == ("no order has number 7", "no order has number 8")
    assert order.state == "created"
