"""Reading: the bodies of taken slices in, what they ask of a transaction out; before any row is locked."""

from __future__ import annotations

from collections.abc import Sequence

from shared.persistence.jobs.slices import TakenSlice
from worker.context import WorkerContext
from worker.settle.complete_order import read_completions
from worker.settle.look_up import KeyedOrder
from worker.settle.part import Way
from worker.settle.place_orders import placing, read_orders
from worker.settle.work import Work


def read_work(context: WorkerContext, slices: Sequence[TakenSlice], way: Way) -> Work:
    """What slices of one part ask for; of several, as many as one transaction should do."""
    apart = way is Way.APART
    if slices[0].form == "completion":
        return read_completions(context, slices[0], apart=apart)
    orders: list[KeyedOrder] = []
    now: list[TakenSlice] = []
    later: list[TakenSlice] = []
    numbers: set[int] = set()
    lines = 0
    for taken in slices:
        if now and lines >= context.settings.settle_max_lines:
            later.append(taken)
            continue
        read = read_orders(context, taken)
        asked_for = {order.number for order in read if order.number is not None}
        # The second slice that asks for an order number has to see that the first one got it.
        if asked_for & numbers:
            later.append(taken)
            continue
        numbers |= asked_for
        now.append(taken)
        orders += read
        lines += sum(order.line_count for order in read)
    return Work(now, placing(context, orders, apart=apart), later)
