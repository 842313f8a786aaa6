"""Back-orders, served here and by a naive model: single units handed out one by one."""

from __future__ import annotations

from collections import Counter

from hypothesis import event, given, settings
from hypothesis import strategies as st

from shared.domain.allocation import AvailableStock
from shared.domain.back_orders import ServedLine, WaitingLine, serve
from tests.support.back_order_model import Unit, hand_out
from tests.support.domain_shop import BRASS_LAMP, DEPOT, MAIN, RED_STOOL, SHOP, stock
from tests.support.histories import HISTORIES

HOUSES = (MAIN, SHOP, DEPOT)
ITEMS = (BRASS_LAMP.id, RED_STOOL.id)


def waiting(order: int, quantity: int, *houses: int, item: int = BRASS_LAMP.id, line: int = 0) -> WaitingLine:
    return WaitingLine(order, line, item, quantity, houses or (MAIN, SHOP))


def taken(served: list[ServedLine]) -> dict[int, list[tuple[int, int]]]:
    """What each order was given: (warehouse, units)."""
    return {
        one.waiting.order_number: [(units.warehouse_id, units.quantity) for units in one.reservations]
        for one in served
    }


def test_whoever_has_waited_longest_is_served_first() -> None:
    available = stock(lamp_main=3)

    served = serve([waiting(7, 2), waiting(5, 2), waiting(6, 1)], available)

    assert taken(served) == {7: [(MAIN, 2)]}
    assert available.reserved() == {(BRASS_LAMP.id, MAIN): 2}


def test_a_line_that_fits_does_not_overtake_an_older_one_that_does_not() -> None:
    assert serve([waiting(1, 5), waiting(2, 1)], stock(lamp_main=4)) == []


def test_lines_of_other_items_wait_in_rows_of_their_own() -> None:
    served = serve([waiting(1, 5), waiting(2, 1, item=RED_STOOL.id)], stock(lamp_main=4, stool_shop=1))

    assert taken(served) == {2: [(SHOP, 1)]}


def test_a_line_is_served_whole_from_one_warehouse_or_down_the_list_or_not_at_all() -> None:
    assert taken(serve([waiting(1, 3)], stock(lamp_main=2, lamp_shop=3))) == {1: [(SHOP, 3)]}
    assert taken(serve([waiting(1, 4)], stock(lamp_main=2, lamp_shop=3))) == {1: [(MAIN, 2), (SHOP, 2)]}
    assert serve([waiting(1, 6)], stock(lamp_main=2, lamp_shop=3)) == []


def test_what_an_older_line_can_never_have_goes_to_a_younger_one() -> None:
    served = serve(
        [waiting(1, 5, MAIN, SHOP), waiting(2, 2, SHOP, DEPOT), waiting(3, 1, DEPOT)],
        stock(lamp_main=1, lamp_shop=3, lamp_depot=2),
    )

    assert taken(served) == {2: [(DEPOT, 2)]}


lines = st.builds(
    lambda item, quantity, houses: (item, quantity, tuple(houses)),
    st.sampled_from(ITEMS),
    st.integers(1, 4),
    st.lists(st.sampled_from(HOUSES), unique=True, max_size=3),
)


@settings(max_examples=HISTORIES)
@given(st.lists(lines, max_size=6), st.lists(st.tuples(st.sampled_from(ITEMS), st.sampled_from(HOUSES))))
def test_back_orders_are_served_as_handing_units_out_one_by_one_would(
    wanted: list[tuple[int, int, tuple[int, ...]]], units: list[Unit]
) -> None:
    queue = [WaitingLine(number, 0, *one) for number, one in enumerate(wanted)]
    available = AvailableStock(Counter(units))

    served = serve(queue, available)

    event(f"served: {len(served)}")
    left = list(units)
    assert {(number, 0): Counter(dict(given)) for number, given in taken(served).items()} == hand_out(
        left, queue
    )
    assert Counter(units) - Counter(dict(available.reserved())) == Counter(left)
