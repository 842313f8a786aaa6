"""The order in which a worker asks the queues: who waits first, and nobody never."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from shared.domain.slicing import (
    LARGE_QUEUE,
    LARGE_SURPLUS_QUEUE,
    SLICE_QUEUES,
    SMALL_QUEUE,
    WAITED_QUEUE,
    WAITED_SURPLUS_QUEUE,
)
from shared.queue.lanes import WeightedOrder


def asked(*full: str, times: int) -> list[str]:
    """Whose messages a worker takes while these queues never run empty."""
    order = WeightedOrder()
    order.update(set(SLICE_QUEUES))
    served = []
    for _ in range(times):
        name = next(name for name in order.consume(len(SLICE_QUEUES)) if name in full)
        order.rotate(name)
        served.append(name)
    return served


def test_who_waits_goes_first_and_a_few_orders_before_many() -> None:
    order = WeightedOrder()
    order.update({LARGE_QUEUE, SMALL_QUEUE, WAITED_QUEUE})

    assert order.consume(3) == [SMALL_QUEUE, WAITED_QUEUE, LARGE_QUEUE]


def test_whoever_does_not_wait_always_gets_a_share() -> None:
    assert asked(SMALL_QUEUE, LARGE_QUEUE, times=10) == ([SMALL_QUEUE] * 4 + [LARGE_QUEUE]) * 2


def test_what_is_beyond_a_clients_share_goes_after_what_others_sent_and_still_gets_on() -> None:
    served = Counter(asked(*SLICE_QUEUES, times=100))

    assert list(SLICE_QUEUES[2::2]) == [WAITED_SURPLUS_QUEUE, LARGE_SURPLUS_QUEUE]
    assert 8 <= served[LARGE_SURPLUS_QUEUE] < served[WAITED_SURPLUS_QUEUE] < 12
    assert min(served[SMALL_QUEUE], served[WAITED_QUEUE], served[LARGE_QUEUE]) >= 18


@pytest.mark.parametrize("full", [names for n in (1, 2, 3) for names in product(SLICE_QUEUES, repeat=n)])
def test_no_queue_is_ever_passed_over_for_good(full: tuple[str, ...]) -> None:
    served = Counter(asked(*full, times=60))

    assert set(served) == set(full)
    assert served[LARGE_QUEUE] >= 11 or LARGE_QUEUE not in full
    assert served[WAITED_QUEUE] >= 18 or WAITED_QUEUE not in full
    # And more of those that a client waits for than of the others.
    assert served[SMALL_QUEUE] >= 24 or SMALL_QUEUE not in full
    assert all(served[surplus] >= 5 for surplus in {WAITED_SURPLUS_QUEUE, LARGE_SURPLUS_QUEUE} & set(full))


def test_a_share_that_nobody_asks_for_is_not_taken_from_others() -> None:
    assert asked(SMALL_QUEUE, times=10) == [SMALL_QUEUE] * 10


def test_a_few_orders_that_wait_go_before_a_large_batch_that_is_just_being_served() -> None:
    order = WeightedOrder()
    order.update(set(SLICE_QUEUES))
    for name in (LARGE_QUEUE, SMALL_QUEUE, LARGE_QUEUE, SMALL_QUEUE, LARGE_QUEUE, WAITED_QUEUE):
        order.rotate(name)

    assert order.consume(3)[0] == SMALL_QUEUE
