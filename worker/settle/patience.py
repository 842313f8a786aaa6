"""Waiting for a database that is away: a message that is kept for a while needs nobody to send it again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from shared.persistence.errors import DatabaseAwayError

_FIRST_SECONDS, _MOST_SECONDS = 0.1, 2.0

log = structlog.get_logger()

Done = TypeVar("Done")


class Patience:
    """So much of it as one task has for outages, all together."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause_seconds = _FIRST_SECONDS

    @property
    def over(self) -> bool:
        """Whether there is no more."""
        return time.monotonic() >= self._until

    def wait(self) -> bool:
        """Wait a little, longer each time and with jitter, and say so; False: there is no more."""
        if self.over:
            return False
        if self._pause_seconds == _FIRST_SECONDS:
            log.info("waiting_for_the_database")
        time.sleep(random.uniform(0.5, 1.5) * self._pause_seconds)  # noqa: S311 - not a secret
        self._pause_seconds = min(2 * self._pause_seconds, _MOST_SECONDS)
        return True

    def while_away(self, do: Callable[[], Done]) -> Done:
        """Do it, again and again while the database is away. Raises DatabaseAwayError in the end."""
        while True:
            try:
                return do()
            except DatabaseAwayError:
                if not self.wait():
                    raise
