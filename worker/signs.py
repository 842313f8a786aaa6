"""Signs of work for whoever watches this process: a byte a second through a pipe, while it takes messages.

They come from the loop that takes them. Redis hears of it as well, for the API and for health checks; but a
watcher that asked Redis could not tell a worker that hangs from a Redis that is away.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

import structlog
from celery.worker import state

SIGN_SECONDS = 1.0
"""How often a sign is given."""

log = structlog.get_logger()


class Signs:
    """Gives signs through ``descriptor``, unless a message has been held for more than ``held_most_seconds``.

    A process that has a task and never begins it, because somebody stopped it, escapes the task's time limit.
    """

    def __init__(self, descriptor: int, held_most_seconds: float) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._held_most_seconds = held_most_seconds
        self._held: dict[Any, float] = {}

    def give(self) -> None:
        """Give one, if there is a reason to."""
        now = time.monotonic()
        self._held = {one.id: self._held.get(one.id, now) for one in tuple(state.reserved_requests)}
        longest = max((now - since for since in self._held.values()), default=0.0)
        if longest > self._held_most_seconds:
            log.error("message_held_too_long", seconds=round(longest))
            return
        # A watcher that does not read has heard enough.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._descriptor, b".")
