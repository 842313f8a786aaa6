"""Slicing: how a batch is cut into the runs of orders that are settled whole, and which queue takes them.

Whoever waits goes before who does not, whatever the size; and among those who wait a few orders go before
many, so that one beside thousands is answered as fast as alone. Who does not wait always gets a share. And
nobody takes another's turn by sending much: what a client sends beyond its share of a lane goes after what
others send there.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.domain.batch_options import AS_USUAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.domain.batch_options import DecisionOptions

SMALL_QUEUE: Final = "orders.small"
"""A few orders that a client waits for."""

WAITED_QUEUE: Final = "orders.waited"
"""More orders that a client waits for."""

WAITED_SURPLUS_QUEUE: Final = "orders.waited.surplus"
"""Orders that a client waits for who has its share of those already, small batches or larger ones."""

LARGE_QUEUE: Final = "orders.large"
"""Orders that nobody waits for: they are answered with a job, however few they are."""

LARGE_SURPLUS_QUEUE: Final = "orders.large.surplus"
"""The same of a client who has its share of those already."""

SLICE_QUEUES: Final = (
    SMALL_QUEUE,
    WAITED_QUEUE,
    WAITED_SURPLUS_QUEUE,
    LARGE_QUEUE,
    LARGE_SURPLUS_QUEUE,
)
"""In the order in which a worker serves them."""

SURPLUS_OF: Final = {
    SMALL_QUEUE: WAITED_SURPLUS_QUEUE,
    WAITED_QUEUE: WAITED_SURPLUS_QUEUE,
    LARGE_QUEUE: LARGE_SURPLUS_QUEUE,
}
"""Where those go that a client sends beyond its share."""

FULL_MESSAGE: Final = 1_000
"""What the loads of the slices in one message may come to: about what is settled in one transaction.

A message and a commit cost about as much as ten orders: more in one would save little, and one that ends its
worker would hold up more.
"""

MESSAGE_SLICES: Final = {
    SMALL_QUEUE: 25,
    WAITED_QUEUE: 5,
    WAITED_SURPLUS_QUEUE: 5,
    LARGE_QUEUE: 5,
    LARGE_SURPLUS_QUEUE: 5,
}
"""How many slices make a full message when all are as full as orders make them."""

_SHARED_FROM: Final = {**dict.fromkeys(SLICE_QUEUES, 600), SMALL_QUEUE: 640}
"""The load from which on two workers decide sooner than one, for all that a second message costs."""

_LEAST_LOAD: Final = 40
"""So that a message has no more than 25 slices, however little there is in each."""

_DRY_MESSAGES: Final = 2
"""Full messages whose orders make a slice of a dry run: one worker has such a job at a time, and waits for a
message before each slice."""

_FULL_SLICES: Final = 5
"""As many slices as large as bytes and lines let them be are a full message."""


WEIGHT_BYTES: Final = 1024
"""As many bytes of a batch weigh as much as an order, where that is more."""


class BatchSize(NamedTuple):
    """What one or several batches take: bytes as sent; ``weight`` in orders, or KiB where those are more."""

    size_bytes: int
    weight: int


class Size(NamedTuple):
    """What an order takes: bytes as sent, and lines as far as they can be told without reading it."""

    size_bytes: int
    lines: int


@dataclass(frozen=True, kw_only=True)
class SliceLimits:
    """The most that a slice may hold; one order at least, whatever it takes."""

    small_max_orders: int
    """Orders up to which a batch that is waited for is small: they are slices of one order each."""
    small_max_bytes: int
    """The same of its bytes."""
    waited_slice_max_orders: int
    slice_max_orders: int
    slice_max_bytes: int
    slice_max_lines: int


@dataclass(frozen=True, kw_only=True)
class SlicePlan:
    """``ranges[n]`` holds the batch positions of slice ``n``; together they cover the batch, in order.

    ``loads[n]`` is how much of a message slice ``n`` fills, in thousandths; a single order may overfill it.
    """

    queue: str
    ranges: tuple[range, ...]
    loads: tuple[int, ...]


def lane_of(total: int, size_bytes: int, *, waits: bool, limits: SliceLimits) -> str:
    """The queue of a batch of so many orders and bytes that is within its client's share."""
    if not waits:
        return LARGE_QUEUE
    # A few huge orders take as long as thousands, and nobody yields within the first queue.
    small = total <= limits.small_max_orders and size_bytes <= limits.small_max_bytes
    return SMALL_QUEUE if small else WAITED_QUEUE


def plan_slices(
    sizes: Iterable[Size], *, queue: str, limits: SliceLimits, options: DecisionOptions = AS_USUAL
) -> SlicePlan:
    """Cut a batch of orders of these sizes into slices for this queue.

    Those of a small batch are one order each, so that any that wait at the same time can be settled together.
    A larger one is cut into runs, bounded by orders, bytes and lines, after each of which a worker can give
    way; the runs of one that is waited for are shorter. A batch of no orders has no slices.

    The slices of an ordered batch go one after the other, so those of a small one are not cut so finely.
    Those of a dry run share no transaction either, so each is larger than what is settled in one. An atomic
    batch is one slice, whatever it holds.
    """
    most = _bounds(queue, limits, options)
    message_orders = _most_orders(queue, limits) * MESSAGE_SLICES[queue]
    ranges: list[range] = []
    loads: list[int] = []
    first, total, held = 0, 0, Size(0, 0)
    for position, size in enumerate(sizes):
        total += 1
        with_it = Size(held.size_bytes + size.size_bytes, held.lines + size.lines)
        full = (
            position - first == most.orders
            or with_it.size_bytes > most.size_bytes
            or with_it.lines > most.lines
        )
        if full and position > first:
            ranges.append(range(first, position))
            loads.append(_load(position - first, held, message_orders, limits))
            first, with_it = position, size
        held = with_it
    if total > first:
        ranges.append(range(first, total))
        loads.append(_load(total - first, held, message_orders, limits))
    return SlicePlan(queue=queue, ranges=tuple(ranges), loads=tuple(loads))


class _Bounds(NamedTuple):
    """The most that one slice of a batch holds, of several orders."""

    orders: int
    size_bytes: int
    lines: int


def _bounds(queue: str, limits: SliceLimits, options: DecisionOptions) -> _Bounds:
    if options.atomic:
        return _Bounds(sys.maxsize, sys.maxsize, sys.maxsize)
    most_orders = _most_orders(queue, limits)
    if queue == SMALL_QUEUE:
        most_orders = limits.small_max_orders if options.ordered else most_orders
    elif options.dry_run:
        times = _DRY_MESSAGES * MESSAGE_SLICES[queue]
        return _Bounds(most_orders * times, limits.slice_max_bytes * times, limits.slice_max_lines * times)
    return _Bounds(most_orders, limits.slice_max_bytes, limits.slice_max_lines)


def _most_orders(queue: str, limits: SliceLimits) -> int:
    """The most orders in one of its slices."""
    if queue == SMALL_QUEUE:
        return 1
    waited = queue in {WAITED_QUEUE, WAITED_SURPLUS_QUEUE}
    return min(limits.waited_slice_max_orders, limits.slice_max_orders) if waited else limits.slice_max_orders


def _load(orders: int, held: Size, message_orders: int, limits: SliceLimits) -> int:
    shares = (
        orders / message_orders,
        held.size_bytes / (_FULL_SLICES * limits.slice_max_bytes),
        held.lines / (_FULL_SLICES * limits.slice_max_lines),
    )
    return max(_LEAST_LOAD, math.ceil(max(shares) * FULL_MESSAGE))


def handfuls(
    slice_ids: Sequence[int], queue: str, loads: Sequence[int] | None = None
) -> list[int | list[int]]:
    """What messages say: runs of slices of about equal load, a single one as its id; two from some load on.

    ``loads`` are the slices'; without them each is taken to be as full as orders make it.
    """
    usual = FULL_MESSAGE // MESSAGE_SLICES[queue]
    so_far = list(accumulate([usual] * len(slice_ids) if loads is None else loads))
    in_all = so_far[-1] if so_far else 0
    count = max(-(-in_all // FULL_MESSAGE), 2 if in_all >= _SHARED_FROM[queue] else 1)
    edges = [bisect_right(so_far, in_all * n // count) for n in range(count + 1)]
    runs = [list(slice_ids[first:last]) for first, last in pairwise(edges)]
    return [run[0] if len(run) == 1 else run for run in runs if run]
