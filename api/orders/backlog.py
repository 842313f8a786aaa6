"""The backlog limit: how many undecided bytes each API key may have, as far as this process knows.

The database knows; it is asked once in a while, and not for every batch: what this process has taken since is
added to its last answer. So a client may exceed the limit by what the other processes take within that while.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from api.web.errors import ApiError
from shared.persistence.core.errors import PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_BYTES: Final = 1024 * 1024
"""What a client may send before the database is asked about it anew."""
_PAUSE_SECONDS: Final = 1.0
_PAUSE_TIMES: Final = 20
"""How many times as long as the answer took to wait before asking again: asking stays a small part of all."""

_log = structlog.get_logger(__name__)


@dataclass
class _Known:
    measured: int = 0
    since: int = 0
    """Bytes taken here since then."""
    ask_at: float = 0.0


class Backlog:
    """Who has how much waiting. ``measure`` gives a client's undecided bytes; no limit: ``most_bytes`` 0."""

    def __init__(
        self, measure: Callable[[int], int], most_bytes: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._measure = measure
        self._most_bytes = most_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}

    def admit(self, client_id: int, size_bytes: int) -> None:
        """Count a batch that is about to be stored. Raises ApiError (429) where too much waits already.

        A batch that is too large by itself is let in where nothing else waits.
        """
        if not self._most_bytes:
            return
        with self._lock:
            known = self._known.setdefault(client_id, _Known())
            known.since += size_bytes
            before = known.since
            worth_it = before > _STEP_BYTES or self._exceeds(known, size_bytes)
            asks = worth_it and self._monotonic() >= known.ask_at
            if asks:
                # Nobody else asks meanwhile, or waits for the answer.
                known.ask_at = math.inf
        if asks:
            self._ask(client_id, known, before - size_bytes)
        with self._lock:
            if self._exceeds(known, size_bytes):
                known.since -= size_bytes
                raise self._error(known)

    def _exceeds(self, known: _Known, size_bytes: int) -> bool:
        all_bytes = known.measured + known.since
        return self._most_bytes < all_bytes and size_bytes < all_bytes

    def _ask(self, client_id: int, known: _Known, stored_bytes: int) -> None:
        begun, measured = self._monotonic(), None
        try:
            measured = self._measure(client_id)
        except PersistenceError as error:
            # What follows needs the database too, and tells the client what becomes of the batch.
            _log.warning("backlog_not_measured", reason=str(error))
        finally:
            now = self._monotonic()
            with self._lock:
                known.ask_at = now + max(_PAUSE_SECONDS, _PAUSE_TIMES * (now - begun))
                if measured is not None:
                    known.measured = measured
                    known.since -= stored_bytes

    def _error(self, known: _Known) -> ApiError:
        seconds = min(60, max(1, math.ceil(min(known.ask_at - self._monotonic(), 60))))
        waiting = known.measured + known.since
        msg = (
            f"This client has about {waiting} bytes of orders that are not decided yet; with this batch "
            f"they would exceed undecidedMaxBytes, which is {self._most_bytes}. Nothing was accepted. "
            f"Try again in {seconds} s, or when jobs of yours are done."
        )
        return ApiError(429, msg, headers={"Retry-After": str(seconds)})
