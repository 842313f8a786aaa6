"""Completing a prepared order: stock is taken now, and what is missing by now is back-ordered."""

from __future__ import annotations

from decimal import Decimal

from shared.domain.completion import place_prepared
from tests.unit.domain.shop import BRASS_LAMP, MAIN, RED_STOOL, SHOP, draft, line, stock


def test_a_prepared_order_takes_what_is_there_and_back_orders_the_rest() -> None:
    shelf = stock(lamp_main=2)
    prepared = draft(line(BRASS_LAMP, 2), line(RED_STOOL), order_number=77, voucher_value=Decimal("1.00"))

    placement = place_prepared(prepared, shelf)

    (part,) = placement.parts
    assert [(pl.quantity, pl.back_ordered) for pl in part.lines] == [(2, 0), (1, 1)]
    assert shelf.taken() == {(BRASS_LAMP.id, MAIN): 2}
    assert part.totals == prepared.totals


def test_a_prepared_order_may_split_now_and_its_first_part_keeps_the_number() -> None:
    shelf = stock(lamp_main=1, lamp_shop=1)
    prepared = draft(line(BRASS_LAMP, 2), order_number=77, names={"warehouse_group": "By warehouse"})

    placement = place_prepared(prepared, shelf)

    assert placement.numbered(iter([101])).numbers == (77, 101)
    assert shelf.taken() == {(BRASS_LAMP.id, MAIN): 1, (BRASS_LAMP.id, SHOP): 1}
