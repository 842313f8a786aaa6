"""Orders placed, shipped in parts, cancelled and served, here and by a naive model of single units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import event, given, settings
from hypothesis import strategies as st

from shared.domain.allocation import AvailableStock, Demand, StockKey, allocate_what_is_there
from shared.domain.back_orders import WaitingLine, serve
from shared.domain.cancellation import (
    AskedCancellation,
    Cancellation,
    CancellationRequest,
    CancellingOrder,
    decide_cancellations,
)
from shared.domain.catalog import AllocationRule
from shared.domain.completion import no_such_order
from shared.domain.outcome import Rejected
from shared.domain.shipment import (
    AskedShipment,
    Shipment,
    ShipmentRequest,
    ShippingLine,
    ShippingOrder,
    decide_shipments,
)
from tests.support.back_order_model import hand_out
from tests.support.histories import HISTORIES

ITEMS, HOUSES = (1, 2), (1, 2)
Wanted = list[tuple[int, int]]
"""Items and quantities, line by line."""


@dataclass
class Shop:
    """Rows as the database has them, changed by what is decided here."""

    physical: Counter[StockKey] = field(default_factory=Counter)
    allocated: Counter[StockKey] = field(default_factory=Counter)
    orders: dict[int, ShippingOrder] = field(default_factory=dict)
    rules: dict[int, tuple[int, ...]] = field(default_factory=dict)
    groups: dict[int, dict[int, str]] = field(default_factory=dict)
    """The states of an order request's parts, the same for each of them."""
    uses: int = 0
    """Uses of a voucher that each order request has."""

    def available(self) -> AvailableStock:
        return AvailableStock({key: units - self.allocated[key] for key, units in self.physical.items()})

    def place(self, parts: list[Wanted], rule: tuple[int, ...]) -> None:
        numbers = [len(self.orders) + 1 + at for at in range(len(parts))]
        group = dict.fromkeys(numbers, "created")
        for number, wanted in zip(numbers, parts, strict=True):
            demands = [Demand(at, item, quantity) for at, (item, quantity) in enumerate(wanted)]
            available = self.available()
            allocation = allocate_what_is_there(demands, AllocationRule(1, "", rule), available)
            lines = {
                one.line: ShippingLine(
                    one.line,
                    one.line,
                    "SKU",
                    one.item_id,
                    one.quantity,
                    one.quantity if one.line in allocation.back_ordered else 0,
                    0,
                )
                for one in demands
            }
            for units in allocation.reservations:
                lines[units.line].reserved.append((units.warehouse_id, units.quantity))
                self.allocated[units.item_id, units.warehouse_id] += units.quantity
            self.orders[number] = ShippingOrder(number, "created", 1, lines)
            self.rules[number], self.groups[number] = rule, group
        self.uses += 1

    def ship(self, number: int, products: dict[int, int] | None) -> bool:
        asked = AskedShipment(number, no_such_order(number), ShipmentRequest(products))
        (decision,) = decide_shipments([asked], self.orders)
        if not isinstance(decision, Shipment):
            return False
        self.groups[number][number] = self.orders[number].state
        for units in decision.units:
            assert units.item_id is not None
            assert units.warehouse_id is not None
            self.physical[units.item_id, units.warehouse_id] -= units.quantity
            self.allocated[units.item_id, units.warehouse_id] -= units.quantity
        return True

    def cancel(self, number: int) -> bool:
        order = self.orders[number]
        shipped = {line.id: line.shipped for line in order.lines.values() if line.shipped}
        first = min(self.groups[number])
        row = CancellingOrder(number, first, 1, self.groups[number], shipped)
        asked = AskedCancellation(number, no_such_order(number), CancellationRequest())
        (decision,) = decide_cancellations([asked], {number: row})
        if isinstance(decision, Cancellation):
            order.state = "cancelled"
            self.uses -= decision.gives_back_uses
            for line in order.lines.values():
                assert line.item_id is not None
                for house, quantity in line.reserved:
                    self.allocated[line.item_id, house] -= quantity
                line.reserved, line.back_ordered = [], 0
            self.serve()
        return not isinstance(decision, Rejected)

    def count(self, key: StockKey, quantity: int) -> None:
        self.physical[key] = max(quantity, self.allocated[key])
        self.serve()

    def waiting(self) -> list[WaitingLine]:
        return [
            WaitingLine(number, line.line, line.item_id or 0, line.back_ordered, self.rules[number])
            for number, order in self.orders.items()
            for line in order.lines.values()
            if line.back_ordered
        ]

    def serve(self) -> None:
        for one in serve(self.waiting(), self.available()):
            line = self.orders[one.waiting.order_number].lines[one.waiting.line]
            line.back_ordered = 0
            for units in one.reservations:
                line.reserved.append((units.warehouse_id, units.quantity))
                self.allocated[units.item_id, units.warehouse_id] += units.quantity


@dataclass
class Model:
    """Units, each free or some line's; what is placed is taken from the shop, all else is done by hand."""

    units: list[tuple[int, int, tuple[int, int] | None]] = field(default_factory=list)
    """Item, warehouse, and the order and line that has it."""
    ordered: dict[tuple[int, int], int] = field(default_factory=dict)
    gone: Counter[tuple[int, int]] = field(default_factory=Counter)
    waits: set[tuple[int, int]] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    requests: list[list[int]] = field(default_factory=list)

    def place(self, shop: Shop) -> None:
        new = [number for number in shop.orders if not any(number in one for one in self.requests)]
        self.requests.append(new)
        for number in new:
            for line in shop.orders[number].lines.values():
                self.ordered[number, line.line] = line.quantity
                for house, quantity in line.reserved:
                    for _ in range(quantity):
                        self.units.remove((line.item_id or 0, house, None))
                        self.units.append((line.item_id or 0, house, (number, line.line)))
                if line.back_ordered:
                    self.waits.add((number, line.line))

    def ship(self, number: int, products: dict[int, int] | None) -> bool:
        mine = Counter(owner for _, _, owner in self.units if owner is not None and owner[0] == number)
        wanted = {line: mine[at, line] for at, line in mine} if products is None else products
        if not wanted or any(mine[number, line] < quantity for line, quantity in wanted.items()):
            return False
        for line, quantity in wanted.items():
            self.gone[number, line] += quantity
        return True

    def left(self, shop: Shop) -> None:
        """Take away the very units that left the shop: which of a line's goes first is not the model's."""
        for owner, units in Counter(self.units).items():
            item, house, line = owner
            if line is None:
                continue
            kept = sum(n for at, n in shop.orders[line[0]].lines[line[1]].reserved if at == house)
            for _ in range(units - kept):
                self.units.remove((item, house, line))

    def cancel(self, number: int, shop: Shop) -> bool:
        if number in self.cancelled:
            return True
        if any(units for (at, _), units in self.gone.items() if at == number):
            return False
        self.cancelled.add(number)
        self.waits = {one for one in self.waits if one[0] != number}
        self.units = [
            (item, house, None if owner is not None and owner[0] == number else owner)
            for item, house, owner in self.units
        ]
        self.serve(shop)
        return True

    def count(self, key: StockKey, quantity: int, shop: Shop) -> None:
        taken = [unit for unit in self.units if unit[:2] == key and unit[2] is not None]
        others = [unit for unit in self.units if unit[:2] != key]
        self.units = [*others, *taken, *[(*key, None)] * max(0, quantity - len(taken))]
        self.serve(shop)

    def serve(self, shop: Shop) -> None:
        queue = [
            WaitingLine(
                number,
                line,
                shop.orders[number].lines[line].item_id or 0,
                self.ordered[number, line],
                shop.rules[number],
            )
            for number, line in sorted(self.waits)
        ]
        free = [(item, house) for item, house, owner in self.units if owner is None]
        for (number, line), houses in hand_out(free, queue).items():
            self.waits.remove((number, line))
            item = shop.orders[number].lines[line].item_id or 0
            for house in houses.elements():
                self.units.remove((item, house, None))
                self.units.append((item, house, (number, line)))


def agree(shop: Shop, model: Model) -> None:
    held = Counter(unit[:2] for unit in model.units)
    taken = Counter(unit[:2] for unit in model.units if unit[2] is not None)
    assert {key: n for key, n in shop.physical.items() if n} == dict(held)
    assert {key: n for key, n in shop.allocated.items() if n} == dict(taken)
    assert all(0 <= shop.allocated[key] <= units for key, units in shop.physical.items())
    of_line = Counter(owner for _, _, owner in model.units if owner is not None)
    for number, order in shop.orders.items():
        for line in order.lines.values():
            place = (number, line.line)
            reserved = sum(quantity for _, quantity in line.reserved)
            cancelled = line.quantity if order.state == "cancelled" else 0
            assert (reserved, line.shipped) == (of_line[place], model.gone[place])
            assert bool(line.back_ordered) == (place in model.waits)
            assert line.quantity == reserved + line.shipped + line.back_ordered + cancelled
        shipped = [line.shipped for line in order.lines.values()]
        assert (order.state == "cancelled") == (number in model.cancelled)
        assert (order.state in {"shipped", "partially_shipped"}) == any(shipped)
        if order.state != "cancelled":
            whole = all(line.shipped == line.quantity for line in order.lines.values())
            assert (order.state == "shipped") == whole
    live = [one for one in model.requests if not model.cancelled.issuperset(one)]
    assert shop.uses == len(live)


wanted = st.lists(st.tuples(st.sampled_from(ITEMS), st.integers(1, 3)), min_size=1, max_size=2)
keys = st.tuples(st.sampled_from(ITEMS), st.sampled_from(HOUSES))
steps = st.one_of(
    st.tuples(
        st.just("place"),
        st.lists(wanted, min_size=1, max_size=2),
        st.sampled_from([(1,), (2,), (1, 2), (2, 1)]),
    ),
    st.tuples(
        st.just("ship"),
        st.integers(1, 6),
        st.none() | st.dictionaries(st.integers(0, 1), st.integers(1, 3), min_size=1),
    ),
    st.tuples(st.just("cancel"), st.integers(1, 6), st.none()),
    st.tuples(st.just("count"), keys, st.integers(0, 6)),
)


def go(shop: Shop, model: Model, history: Iterable[tuple[str, object, object]]) -> None:
    for step in history:
        match step:
            case ("place", list(parts), tuple(rule)):
                shop.place(parts, rule)
                model.place(shop)
            case ("count", (int(item), int(house)), int(quantity)):
                shop.count((item, house), quantity)
                model.count((item, house), quantity, shop)
            case ("ship", int(number), products) if number in shop.orders:
                assert products is None or isinstance(products, dict)
                done = shop.ship(number, products)
                event(f"ship: {done}")
                assert done == model.ship(number, products)
                model.left(shop)
            case ("cancel", int(number), _) if number in shop.orders:
                done = shop.cancel(number)
                event(f"cancel: {done}")
                assert done == model.cancel(number, shop)
        agree(shop, model)


@settings(max_examples=HISTORIES)
@given(st.lists(steps, max_size=14))
def test_orders_live_as_units_handled_one_by_one_would_have_it(
    history: list[tuple[str, object, object]],
) -> None:
    shop, model = Shop(), Model()

    go(shop, model, history)

    event(f"waiting in the end: {bool(model.waits)}")
