"""Random shops and orders, decided here and by a naive model: single units picked up one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from shared.domain.allocation import AvailableStock
from shared.domain.catalog import AllocationRule, Item, SplitBy
from shared.domain.decide import Placement, stands_while_covered
from shared.domain.draft import Draft
from shared.domain.outcome import Code, Rejected
from tests.support.domain_shop import PLAIN, decided, draft, line_request

CENT = Decimal("0.01")

ITEMS = [Item(i, f"ITEM-{i}", prices={1: Decimal("1.00")}) for i in (1, 2, 3)]
WAREHOUSES = (1, 2, 3)

Unit = tuple[int, int]
"""One unit: (item id, warehouse id)."""


@dataclass(frozen=True)
class Case:
    """What is in stock, unit by unit, and the orders in their turn."""

    units: list[Unit]
    orders: list[Draft]


lines = st.builds(
    lambda item, quantity, cents: line_request(item, quantity, str(cents * CENT)),
    st.sampled_from(ITEMS),
    st.integers(1, 4),
    st.integers(0, 999),
)
rules = st.builds(
    lambda houses, split: AllocationRule(1, "Any", tuple(houses), split),
    st.lists(st.sampled_from(WAREHOUSES), unique=True, max_size=3),
    st.sampled_from(SplitBy),
)
money = st.none() | st.integers(0, 3_000).map(lambda cents: cents * CENT)


@st.composite
def orders(draw: st.DrawFn) -> Draft:
    wanted = draft(
        *draw(st.lists(lines, min_size=1, max_size=4)),
        catalog=PLAIN,
        items=ITEMS,
        force_create=draw(st.sampled_from([False, False, True])),
        create_only=draw(st.sampled_from([False, False, True])),
        adjust_stock=draw(st.sampled_from([True, True, True, False])),
        order_number=draw(st.none() | st.integers(1, 3)),
        shipping_value=draw(money),
        voucher_value=draw(money),
    )
    return replace(wanted, rule=draw(rules))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    places = [(item.id, house) for item in ITEMS for house in WAREHOUSES]
    units = [place for place in places for _ in range(draw(st.integers(0, 5)))]
    return Case(units, draw(st.lists(orders(), min_size=1, max_size=6)))


def pick(units: list[Unit], item: int, house: int, quantity: int) -> list[Unit] | None:
    """Pick so many units up, or none."""
    found = [unit for unit in units if unit == (item, house)][:quantity]
    if len(found) < quantity:
        return None
    for unit in found:
        units.remove(unit)
    return found


def covered_by_one_house(units: list[Unit], wanted: Sequence[tuple[int, int, int]], house: int) -> bool:
    trial = list(units)
    return all(pick(trial, item, house, quantity) is not None for _, item, quantity in wanted)


def model_takes(
    units: list[Unit], wanted: Sequence[tuple[int, int, int]], houses: Sequence[int]
) -> Counter[tuple[int, int, int]] | None:
    """Units by (line, item, house) for all lines, or None. Picks nothing up from ``units``."""
    for house in houses:
        if covered_by_one_house(units, wanted, house):
            return Counter({(at, item, house): quantity for at, item, quantity in wanted})
    trial, reservations = list(units), Counter[tuple[int, int, int]]()
    for at, item, quantity in wanted:
        for _ in range(quantity):
            found = next((h for h in houses if (item, h) in trial), None)
            if found is None:
                return None
            trial.remove((item, found))
            reservations[at, item, found] += 1
    return reservations


def missing_lines(
    units: list[Unit], wanted: Sequence[tuple[int, int, int]], houses: Sequence[int]
) -> set[int]:
    """The lines that are not there whole, once those before them have picked up theirs."""
    trial, missing = [unit for unit in units if unit[1] in houses], set[int]()
    for at, item, quantity in wanted:
        there = [unit for unit in trial if unit[0] == item][:quantity]
        if len(there) < quantity:
            missing.add(at)
            continue
        for unit in there:
            trial.remove(unit)
    return missing


def model_decide(case: Case) -> list[tuple[Counter[tuple[int, int, int]], set[int]] | Code]:
    """Each order's units and back-ordered lines, or the code that rejects it."""
    units, numbers = list(case.units), set[int]()
    told: list[tuple[Counter[tuple[int, int, int]], set[int]] | Code] = []
    for order in case.orders:
        request, houses = order.request, order.rule.warehouse_ids
        number = request.order_number
        wanted = [(one.line, one.item.id, one.request.quantity) for one in order.lines if one.item]
        if not request.adjust_stock:
            wanted = []
        back_ordered = missing_lines(units, wanted, houses) if request.force_create else set()
        wanted = [one for one in wanted if one[0] not in back_ordered]
        reservations = model_takes(units, wanted, houses)
        if number is not None and number in numbers:
            told.append(Code.NUMBER_TAKEN)
        elif reservations is None:
            told.append(Code.STOCK)
        else:
            numbers |= {number} if number is not None else set()
            if request.create_only:
                reservations, back_ordered = Counter(), set()
            for (_, item, house), quantity in reservations.items():
                pick(units, item, house, quantity)
            told.append((reservations, back_ordered))
    return told


def as_model(decision: Placement | Rejected) -> tuple[Counter[tuple[int, int, int]], set[int]] | Code:
    if isinstance(decision, Rejected):
        return decision.code
    return units_of(decision), back_ordered_lines(decision)


def units_of(placement: Placement) -> Counter[tuple[int, int, int]]:
    reservations = Counter[tuple[int, int, int]]()
    for reservation in (reservation for part in placement.parts for reservation in part.reservations):
        reservations[reservation.line, reservation.item_id, reservation.warehouse_id] += reservation.quantity
    return reservations


def back_ordered_lines(placement: Placement) -> set[int]:
    return {pl.line.line for part in placement.parts for pl in part.lines if pl.back_ordered}


@given(cases())
def test_orders_are_decided_as_picking_units_up_one_by_one_would(case: Case) -> None:
    available = AvailableStock(Counter(case.units))

    decisions = decided(*case.orders, available=available)

    for decision in decisions:
        event("rejected" if isinstance(decision, Rejected) else f"{len(decision.parts)} parts")
    assert [as_model(decision) for decision in decisions] == model_decide(case)


@given(cases())
def test_nothing_is_oversold_and_what_the_orders_take_is_what_the_stock_lost(case: Case) -> None:
    before = Counter(case.units)
    available = AvailableStock(before)

    placed = [one for one in decided(*case.orders, available=available) if isinstance(one, Placement)]

    taken = Counter[Unit]()
    for reservation in (
        reservation for one in placed for part in one.parts for reservation in part.reservations
    ):
        taken[reservation.item_id, reservation.warehouse_id] += reservation.quantity
    assert taken == Counter(available.reserved())
    assert taken <= before
    for place, units in before.items():
        assert available.units(*place) == units - taken[place]


@given(cases())
def test_every_line_of_a_created_order_is_covered_whole_or_back_ordered_whole(case: Case) -> None:
    available = AvailableStock(Counter(case.units))

    for decision in decided(*case.orders, available=available):
        if isinstance(decision, Rejected):
            continue
        reservations, back_ordered = units_of(decision), back_ordered_lines(decision)
        for one in decision.draft.lines:
            units = sum(n for (at, _, _), n in reservations.items() if at == one.line)
            in_parts = sum(
                pl.quantity for part in decision.parts for pl in part.lines if pl.line.line == one.line
            )
            untouched = decision.draft.request.create_only or not decision.draft.request.adjust_stock
            assert in_parts == one.request.quantity
            assert units == (0 if untouched or one.line in back_ordered else one.request.quantity)
            assert not back_ordered or decision.draft.request.force_create


@given(cases())
def test_the_parts_money_is_the_orders_money_to_the_cent(case: Case) -> None:
    for decision in decided(*case.orders, available=AvailableStock(Counter(case.units))):
        if isinstance(decision, Rejected):
            continue
        whole, parts = decision.draft.totals, [part.totals for part in decision.parts]
        assert sum(part.lines for part in parts) == whole.lines
        assert [part.shipping for part in parts] == [whole.shipping] + [Decimal(0)] * (len(parts) - 1)
        assert sum(part.voucher for part in parts) == whole.voucher
        assert sum(part.grand for part in parts) == whole.grand
        assert all(part.grand >= 0 and part.voucher >= 0 for part in parts)


@given(cases(), st.data())
def test_decisions_that_stand_while_covered_come_out_the_same_from_any_stock_that_covers_them(
    case: Case, data: st.DataObject
) -> None:
    available = AvailableStock(Counter(case.units))
    decisions = decided(*case.orders, available=available)
    if not stands_while_covered(case.orders, decisions):
        event("looked at what else is there")
        return
    event("stands")
    places = [(item.id, house) for item in ITEMS for house in WAREHOUSES]
    others = {place: data.draw(st.integers(0, 6)) for place in places}
    covering = {place: others[place] + available.reserved().get(place, 0) for place in places}

    assert AvailableStock(covering).covers(available.reserved())
    assert decided(*case.orders, available=AvailableStock(covering)) == decisions
