"""Back-orders: lines that wait for units, and are served first when units become free (contract §9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from shared.domain.allocation import Allocation, AvailableStock, Demand, Reservation, allocate
from shared.domain.catalog import AllocationRule
from shared.domain.values import value


@value(frozen=True, slots=True)
class WaitingLine:
    """A line of an order that waits for all of its units; ``warehouse_ids`` are its rule's, in order."""

    order_number: int
    line: int
    item_id: int
    quantity: int
    warehouse_ids: tuple[int, ...]


@value(frozen=True, slots=True)
class ServedLine:
    """A line that waits no longer: what was reserved for it."""

    waiting: WaitingLine
    reservations: tuple[Reservation, ...]


def serve(waiting: Iterable[WaitingLine], available: AvailableStock) -> list[ServedLine]:
    """Reserve for the lines that are covered whole, in the order given, which is that of their orders' age.

    None overtakes another of the same item: what a line that stays uncovered could have from its warehouses
    is kept from all behind it. They may have what lies where it could never have it from.
    """
    kept: defaultdict[int, set[int]] = defaultdict(set)
    served: list[ServedLine] = []
    for line in waiting:
        behind = kept[line.item_id]
        free_to_take = tuple([house for house in line.warehouse_ids if house not in behind])
        demand = Demand(line.line, line.item_id, line.quantity)
        allocation = allocate([demand], AllocationRule(0, "", free_to_take), available)
        if isinstance(allocation, Allocation):
            available.reserve(allocation.reservations)
            served.append(ServedLine(line, allocation.reservations))
        else:
            behind.update(line.warehouse_ids)
    return served
