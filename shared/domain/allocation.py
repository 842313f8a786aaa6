"""Taking stock off the shelf (contract §6, "Stock"): whole orders first, all lines or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.catalog import AllocationRule
from shared.domain.values import value

Place = tuple[int, int]
"""(item id, warehouse id): where units of an item lie, and the order in which rows are locked."""


@value(frozen=True, slots=True)
class Want:
    """A line's wish: so many units of an item."""

    line: int
    item_id: int
    quantity: int


@value(frozen=True, slots=True)
class Take:
    """Units of one line, reserved in one warehouse."""

    line: int
    item_id: int
    warehouse_id: int
    quantity: int


@value(frozen=True, slots=True)
class Allocation:
    """What was reserved for an order, and the lines of which nothing was: those are back-ordered."""

    takes: tuple[Take, ...]
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


class Shelf:
    """What is available in the places that a slice may touch; each order sees what the earlier ones left."""

    def __init__(self, available: Mapping[Place, int]) -> None:
        self._available = dict(available)
        self._taken: dict[Place, int] = {}

    def available(self, item_id: int, warehouse_id: int) -> int:
        """Units of the item that can still be had there; 0 where it has never lain."""
        return max(0, self._available.get((item_id, warehouse_id), 0))

    def take(self, takes: Iterable[Take]) -> None:
        """Reserve these units for good."""
        for take in takes:
            place = (take.item_id, take.warehouse_id)
            self._available[place] = self._available.get(place, 0) - take.quantity
            self._taken[place] = self._taken.get(place, 0) + take.quantity

    def taken(self) -> Mapping[Place, int]:
        """Units reserved since the shelf was filled, by place."""
        return self._taken

    def covers(self, taken: Mapping[Place, int]) -> bool:
        """Whether all these units are there."""
        return all(self.available(*place) >= units for place, units in taken.items())


def allocate(wants: Sequence[Want], rule: AllocationRule, shelf: Shelf) -> Allocation | Shortage:
    """Cover all lines or none: one warehouse for the whole order if any can, else line by line.

    Nothing is reserved yet; ``shelf.take`` does that.
    """
    wanted = _by_item(wants)
    for warehouse_id in rule.warehouse_ids:
        if _covers(warehouse_id, wanted, shelf):
            return Allocation(tuple(Take(w.line, w.item_id, warehouse_id, w.quantity) for w in wants))
    missing = _missing(wants, wanted, rule, shelf)
    if missing:
        return Shortage(missing)
    left: dict[Place, int] = {}
    takes: list[Take] = []
    for want in wants:
        takes.extend(_walk_down(want, rule, shelf, left))
    return Allocation(tuple(takes))


def allocate_what_is_there(wants: Sequence[Want], rule: AllocationRule, shelf: Shelf) -> Allocation:
    """forceCreate: cover each line that can be covered whole, in order; the others are back-ordered."""
    there = {want.item_id: 0 for want in wants}
    for item_id in there:
        there[item_id] = sum(shelf.available(item_id, w) for w in rule.warehouse_ids)
    covered: list[Want] = []
    for want in wants:
        if want.quantity <= there[want.item_id]:
            there[want.item_id] -= want.quantity
            covered.append(want)
    allocation = allocate(covered, rule, shelf)
    takes = allocation.takes if isinstance(allocation, Allocation) else ()
    taken = {take.line for take in takes}
    return Allocation(takes, frozenset(want.line for want in wants if want.line not in taken))


def _by_item(wants: Iterable[Want]) -> dict[int, int]:
    totals: dict[int, int] = {}
    for want in wants:
        totals[want.item_id] = totals.get(want.item_id, 0) + want.quantity
    return totals


def _missing(
    wants: Sequence[Want], by_item: Mapping[int, int], rule: AllocationRule, shelf: Shelf
) -> tuple[Missing, ...]:
    short: dict[int, tuple[int, int]] = {}
    for item_id, wanted in by_item.items():
        there = sum(shelf.available(item_id, w) for w in rule.warehouse_ids)
        if there < wanted:
            short[item_id] = (wanted, there)
    if not short:
        return ()
    # All lines once: to look for those of each item would be quadratic in what a client sizes.
    lines: dict[int, list[int]] = {item_id: [] for item_id in short}
    for want in wants:
        if want.item_id in short:
            lines[want.item_id].append(want.line)
    return tuple(
        Missing(item_id, wanted, there, tuple(lines[item_id])) for item_id, (wanted, there) in short.items()
    )


def _covers(warehouse_id: int, wanted: Mapping[int, int], shelf: Shelf) -> bool:
    return all(shelf.available(item_id, warehouse_id) >= n for item_id, n in wanted.items())


def _walk_down(want: Want, rule: AllocationRule, shelf: Shelf, used: dict[Place, int]) -> Iterable[Take]:
    wanted = want.quantity
    for warehouse_id in rule.warehouse_ids:
        place = (want.item_id, warehouse_id)
        quantity = min(wanted, shelf.available(*place) - used.get(place, 0))
        if quantity > 0:
            used[place] = used.get(place, 0) + quantity
            wanted -= quantity
            yield Take(want.line, want.item_id, warehouse_id, quantity)
        if wanted == 0:
            return
