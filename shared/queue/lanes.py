"""The queues, and the order in which a worker asks them for a message."""

from __future__ import annotations

import math
from typing import Any, Final

from kombu.utils.scheduling import priority_cycle

from shared.domain.slicing import (
    LARGE_QUEUE,
    LARGE_SURPLUS_QUEUE,
    SLICE_QUEUES,
    SMALL_QUEUE,
    WAITED_QUEUE,
    WAITED_SURPLUS_QUEUE,
)

MAIL_QUEUE: Final = "orders.mail"
"""Served by mailers alone: a mail server that is slow or away must not hold a worker."""

QUEUES: Final = (*SLICE_QUEUES, MAIL_QUEUE)

PASSED_OVER_MOST: Final = {
    SMALL_QUEUE: math.inf,
    WAITED_QUEUE: 2,
    WAITED_SURPLUS_QUEUE: 8,
    LARGE_QUEUE: 4,
    LARGE_SURPLUS_QUEUE: 11,
    MAIL_QUEUE: math.inf,
}
"""How many messages of other queues may be taken in a row before this one is asked first; infinite where it
is the first or the only one anyway."""


class WeightedOrder(priority_cycle):  # type: ignore[misc]  # kombu has no types
    """Serves the queues in the order of ``QUEUES``, but none of them never.

    However much there is of those that go first, every third message is one of the larger batches that are
    waited for, and every fifth one of those that nobody waits for, if there is any. Of a worker that gives
    way to who waits, that is about a fifth of its work. What clients send beyond their shares gets one in
    nine and one in twelve: so much can those who send too much take from the others.

    kombu's own "priority" is strict, and keeps the order in which it is given the queues, and it is given a
    set: which one came first depended on the process's hash seed.
    """

    def __init__(self, it: Any = None) -> None:
        super().__init__(it)
        self._passed_over = dict.fromkeys(PASSED_OVER_MOST, 0)

    def update(self, it: Any) -> None:
        """Take these queues for those that there are."""
        self.items[:] = sorted(it, key=QUEUES.index)

    def consume(self, n: int) -> list[str]:
        """Give the queues in the order in which they are to be asked now."""
        # The last one first: whoever is not waited for has no other turn.
        due = [name for name in reversed(self.items) if self._passed_over[name] >= PASSED_OVER_MOST[name]]
        return [*due, *(name for name in self.items if name not in due)][:n]

    def rotate(self, last_used: str) -> None:
        """Note whose message was taken."""
        for name, passed_over in self._passed_over.items():
            self._passed_over[name] = 0 if name == last_used else passed_over + 1
