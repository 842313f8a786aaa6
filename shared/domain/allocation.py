"""Allocation of stock (contract §6, "Stock"): whole orders first, all lines or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.catalog import AllocationRule
from shared.domain.values import value

StockKey = tuple[int, int]
"""(item id, warehouse id): where units of an item lie, and the order in which rows are locked."""


@value(frozen=True, slots=True)
class Demand:
    """A line's wish: so many units of an item."""

    line: int
    item_id: int
    quantity: int


@value(frozen=True, slots=True)
class Reservation:
    """Units of one line, reserved in one warehouse."""

    line: int
    item_id: int
    warehouse_id: int
    quantity: int


@value(frozen=True, slots=True)
class Allocation:
    """What was reserved for an order, and the lines of which nothing was: those are back-ordered."""

    reservations: tuple[Reservation, ...]
    back_ordered: frozenset[int] = frozenset()


@value(frozen=True, slots=True)
class Missing:
    """An item of which an order wants more than its rule's warehouses have."""

    item_id: int
    wanted: int
    available: int
    lines: tuple[int, ...]


@value(frozen=True, slots=True)
class Shortage:
    """What is available does not cover the order."""

    missing: tuple[Missing, ...]


class AvailableStock:
    """What is available of what a slice may touch; each order sees what the earlier ones left."""

    def __init__(self, available: Mapping[StockKey, int]) -> None:
        self._available = dict(available)
        self._reserved: dict[StockKey, int] = {}

    def less(self, taken: Mapping[StockKey, int]) -> AvailableStock:
        """What is available once these units are gone."""
        return AvailableStock({key: units - taken.get(key, 0) for key, units in self._available.items()})

    def units(self, item_id: int, warehouse_id: int) -> int:
        """Units of the item that can still be had there; 0 where it has never lain."""
        return max(0, self._available.get((item_id, warehouse_id), 0))

    def reserve(self, reservations: Iterable[Reservation]) -> None:
        """Reserve these units for good."""
        for reservation in reservations:
            key = (reservation.item_id, reservation.warehouse_id)
            self._available[key] = self._available.get(key, 0) - reservation.quantity
            self._reserved[key] = self._reserved.get(key, 0) + reservation.quantity

    def reserved(self) -> Mapping[StockKey, int]:
        """Units reserved since this was read."""
        return self._reserved

    def covers(self, taken: Mapping[StockKey, int]) -> bool:
        """Whether all these units are there."""
        return all(self.units(*key) >= units for key, units in taken.items())


def allocate(
    demands: Sequence[Demand], rule: AllocationRule, available: AvailableStock
) -> Allocation | Shortage:
    """Cover all lines or none: one warehouse for the whole order if any can, else line by line.

    Nothing is reserved yet; ``AvailableStock.reserve`` does that.
    """
    wanted = _by_item(demands)
    for warehouse_id in rule.warehouse_ids:
        if _covers(warehouse_id, wanted, available):
            return Allocation(
                tuple([Reservation(w.line, w.item_id, warehouse_id, w.quantity) for w in demands])
            )
    missing = _missing(demands, wanted, rule, available)
    if missing:
        return Shortage(missing)
    left: dict[StockKey, int] = {}
    reservations: list[Reservation] = []
    for demand in demands:
        reservations.extend(_walk_down(demand, rule, available, left))
    return Allocation(tuple(reservations))


def allocate_what_is_there(
    demands: Sequence[Demand], rule: AllocationRule, available: AvailableStock
) -> Allocation:
    """forceCreate: cover each line that can be covered whole, in order; the others are back-ordered."""
    there = {demand.item_id: 0 for demand in demands}
    for item_id in there:
        there[item_id] = sum(available.units(item_id, w) for w in rule.warehouse_ids)
    covered: list[Demand] = []
    for demand in demands:
        if demand.quantity <= there[demand.item_id]:
            there[demand.item_id] -= demand.quantity
            covered.append(demand)
    allocation = allocate(covered, rule, available)
    reservations = allocation.reservations if isinstance(allocation, Allocation) else ()
    taken = {reservation.line for reservation in reservations}
    return Allocation(reservations, frozenset(demand.line for demand in demands if demand.line not in taken))


def _by_item(demands: Iterable[Demand]) -> dict[int, int]:
    totals: dict[int, int] = {}
    for demand in demands:
        totals[demand.item_id] = totals.get(demand.item_id, 0) + demand.quantity
    return totals


def _missing(
    demands: Sequence[Demand], by_item: Mapping[int, int], rule: AllocationRule, available: AvailableStock
) -> tuple[Missing, ...]:
    short: dict[int, tuple[int, int]] = {}
    for item_id, wanted in by_item.items():
        there = sum(available.units(item_id, w) for w in rule.warehouse_ids)
        if there < wanted:
            short[item_id] = (wanted, there)
    if not short:
        return ()
    # All lines once: to look for those of each item would be quadratic in what a client sizes.
    lines: dict[int, list[int]] = {item_id: [] for item_id in short}
    for demand in demands:
        if demand.item_id in short:
            lines[demand.item_id].append(demand.line)
    return tuple(
        Missing(item_id, wanted, there, tuple(lines[item_id])) for item_id, (wanted, there) in short.items()
    )


def _covers(warehouse_id: int, wanted: Mapping[int, int], available: AvailableStock) -> bool:
    for item_id, units in wanted.items():  # noqa: SIM110 - asked of every order: a loop takes half of all()'s time
        if available.units(item_id, warehouse_id) < units:
            return False
    return True


def _walk_down(
    demand: Demand, rule: AllocationRule, available: AvailableStock, used: dict[StockKey, int]
) -> Iterable[Reservation]:
    wanted = demand.quantity
    for warehouse_id in rule.warehouse_ids:
        key = (demand.item_id, warehouse_id)
        quantity = min(wanted, available.units(*key) - used.get(key, 0))
        if quantity > 0:
            used[key] = used.get(key, 0) + quantity
            wanted -= quantity
            yield Reservation(demand.line, demand.item_id, warehouse_id, quantity)
        if wanted == 0:
            return
