"""The naive model of back-orders: single units handed out one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.domain.back_orders import WaitingLine

Unit = tuple[int, int]
"""One unit: (item id, warehouse id)."""


def hand_out(units: list[Unit], queue: Sequence[WaitingLine]) -> dict[tuple[int, int], Counter[int]]:
    """Each line of the queue that gets all of its units: how many from which warehouse. Takes them away.

    Whoever does not stands in the way of everybody behind, at each warehouse where it stands.
    """
    served: dict[tuple[int, int], Counter[int]] = {}
    for at, line in enumerate(queue):
        ahead = [
            older
            for older in queue[:at]
            if older.item_id == line.item_id and (older.order_number, older.line) not in served
        ]
        houses = [
            house for house in line.warehouse_ids if not any(house in older.warehouse_ids for older in ahead)
        ]
        whole = [house for house in houses if units.count((line.item_id, house)) >= line.quantity]
        there = [
            (line.item_id, house)
            for house in (whole[:1] or houses)
            for _ in range(units.count((line.item_id, house)))
        ]
        if len(there) >= line.quantity:
            for unit in there[: line.quantity]:
                units.remove(unit)
            served[line.order_number, line.line] = Counter(house for _, house in there[: line.quantity])
    return served
