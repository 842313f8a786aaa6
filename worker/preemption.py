"""Large batches give way to small ones, which somebody waits for.

A worker serves the small queue first, but not before what it has in hand; and a large message costs least in
one transaction, which no small batch can come in between. So while small batches come, large messages are
settled slice by slice, and what is left of one goes back to its queue when a small one waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE
from shared.job_queue import JobQueue, QueueAwayError

log = structlog.get_logger()

_REMEMBERED_SECONDS = 5.0
"""How long after a small message the next one is expected: a client that sends one small batch after another
waits for a whole message only once. Not for ever: slice by slice, a large batch takes half as long again."""


class GivingWay:
    """What one worker process knows of the small batches. Without a queue it gives way to none."""

    def __init__(self, queue: JobQueue | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._clock = clock
        self._until = float("-inf")

    def small_came(self) -> None:
        """A message of the small queue is here."""
        self._until = self._clock() + _REMEMBERED_SECONDS

    @property
    def expected(self) -> bool:
        """Whether small batches come in at present."""
        return self._queue is not None and self._clock() < self._until

    def gave_way(self, slice_ids: Sequence[int]) -> bool:
        """Put these large slices back if a small batch waits, and say so; a queue that is away: no."""
        if self._queue is None:
            return False
        try:
            if not self._queue.waiting(SMALL_QUEUE):
                return False
            self._queue.dispatch(slice_ids, LARGE_QUEUE)
        except QueueAwayError:
            # Nor is anybody handed a small batch. To ask again for each slice might take seconds each time.
            self._until = float("-inf")
            return False
        log.debug("gave_way", slices=len(slice_ids))
        return True
