"""Preemption: large batches yield to small ones, and who is not waited for to who is.

A worker asks the queues of who waits first, but not before what it has in hand is done; and a message costs
least in one transaction, which nothing can come in between. So while others come that go before it, a message
is settled a fifth at a time, and what is left of it goes back to its queue when one of them waits. A fifth of
it is done in any case: who yields gets on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.domain.slicing import SLICE_QUEUES
from shared.queue.job_queue import JobQueue, QueueAwayError

log = structlog.get_logger()

_REMEMBERED_SECONDS: Final = 5.0
"""How long after a message the next one of its queue is expected: a client that sends one small batch after
another waits for a whole message only once. Not for ever: a fifth at a time, a large batch takes half as long
again."""

_PORTIONS: Final = 5
"""Into how many transactions a message is divided while others are expected that go before it."""


class Preemption:
    """What one worker process knows of what goes before what. Without a queue it yields to none."""

    def __init__(self, queue: JobQueue | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._clock = clock
        self._until = dict.fromkeys(SLICE_QUEUES, float("-inf"))

    def came(self, queue: str) -> None:
        """A message of this queue is here."""
        self._until[queue] = self._clock() + _REMEMBERED_SECONDS

    def expected(self, queue: str) -> bool:
        """Whether others come in at present that go before a message of ``queue``."""
        now = self._clock()
        return self._queue is not None and any(now < self._until[name] for name in _before(queue))

    def at_once(self, queue: str, slices: int) -> int:
        """How many slices of a message of so many to settle in one transaction."""
        return -(-slices // _PORTIONS) if self.expected(queue) else slices

    def yielded(self, slice_ids: Sequence[int], queue: str) -> bool:
        """Put these slices back if one that goes before them waits, and say so; a queue that is away: no."""
        if self._queue is None or not self.expected(queue):
            return False
        try:
            if not self._queue.any_waits(_before(queue)):
                return False
            self._queue.dispatch(slice_ids, queue)
        except QueueAwayError:
            # Nor is anybody handed what waits. To ask again for each portion might take seconds each time.
            self._until = dict.fromkeys(SLICE_QUEUES, float("-inf"))
            return False
        log.debug("yielded", slices=len(slice_ids), queue=queue)
        return True


def _before(queue: str) -> tuple[str, ...]:
    """The queues that go before this one."""
    return SLICE_QUEUES[: SLICE_QUEUES.index(queue)]
