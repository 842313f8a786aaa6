"""Values: compared by what they hold, as frozen dataclasses are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.allocation import Reservation
from shared.domain.order import OrderNames, OrderRequest

LAMP = Reservation(line=0, item_id=1, warehouse_id=2, quantity=3)


def test_values_that_hold_the_same_are_equal_and_count_once() -> None:
    assert {LAMP, Reservation(0, 1, 2, 3), replace(LAMP, quantity=4)} == {LAMP, Reservation(0, 1, 2, 4)}


def test_a_value_has_no_room_for_what_it_does_not_declare() -> None:
    with pytest.raises(AttributeError):
        LAMP.price = 5  # type: ignore[attr-defined]  # that it cannot be set is what is tested


def test_each_order_has_names_of_its_own_where_none_are_given() -> None:
    assert OrderRequest(lines=()).names == OrderNames()
