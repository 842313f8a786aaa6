"""How a batch is cut into the runs of orders that are settled whole, and which queue takes them."""

from __future__ import annotations

from dataclasses import dataclass

SMALL_QUEUE = "orders.small"
"""Batches that a client waits for; served first."""

LARGE_QUEUE = "orders.large"
"""Batches that are answered with a job."""


@dataclass(frozen=True, kw_only=True)
class SlicePlan:
    """``ranges[n]`` holds the batch positions of slice ``n``; together they cover the batch, in order."""

    queue: str
    ranges: tuple[range, ...]


def plan_slices(total: int, *, sync_max_orders: int, slice_max_orders: int) -> SlicePlan:
    """Cut a batch of ``total`` orders into slices.

    A small batch (up to ``sync_max_orders``) is one order per slice, so that any that wait at the same
    time can be settled together; a larger one is cut into runs of ``slice_max_orders``, after each of
    which a worker can give way. A batch of no orders has no slices.
    """
    small = total <= sync_max_orders
    step = 1 if small else slice_max_orders
    return SlicePlan(
        queue=SMALL_QUEUE if small else LARGE_QUEUE,
        ranges=tuple(range(first, min(first + step, total)) for first in range(0, total, step)),
    )
