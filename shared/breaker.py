"""A circuit breaker: whoever needs a server that has just failed does not wait for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_SECONDS: Final = 5.0
"""How long after a failure the server is tried again."""

_log = structlog.get_logger(__name__)


class Breaker:
    """Keeps callers from waiting for a server that has just failed; one in a while tries it again.

    Says so once when it fails and once when it is back, as ``<name>_away`` and ``<name>_back``, however many
    callers there are meanwhile.
    """

    def __init__(self, name: str, meaning: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._meaning = meaning
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._broken = False
        self._try_again_at = 0.0

    @property
    def failures(self) -> int:
        """How often the server has failed: who waited for its turn sees whether it has meanwhile."""
        with self._lock:
            return self._failures

    def lets_try(self) -> bool:
        """Whether to ask the server now."""
        with self._lock:
            if not self._broken:
                return True
            if self._monotonic() < self._try_again_at:
                return False
            # This one tries; the others go on without until it has found out.
            self._try_again_at = self._monotonic() + PAUSE_SECONDS
            return True

    def broke(self, fault: str) -> None:
        """The server did not answer."""
        with self._lock:
            first, self._broken = not self._broken, True
            self._failures += 1
            self._try_again_at = self._monotonic() + PAUSE_SECONDS
        if first:
            _log.warning(f"{self._name}_away", fault=fault, meaning=self._meaning)

    def mended(self) -> None:
        """The server has answered."""
        with self._lock:
            was, self._broken = self._broken, False
        if was:
            _log.info(f"{self._name}_back")
