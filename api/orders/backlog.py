"""The backlog limit: how many undecided bytes each API key may have, as far as this process knows.

The database knows; it is asked once in a while, and not for every batch: what this process has taken since is
added to its last answer, and what it has seen decided is taken off. So a client may exceed the limit, or its
share, by what the other processes take within that while.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from api.web.errors import ApiError
from shared.persistence.core.errors import PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.domain.slicing import BatchSize

_STEP_BYTES: Final = 1024 * 1024
"""What a client may send before the database is asked about it anew."""
_PAUSE_SECONDS: Final = 1.0
_PAUSE_TIMES: Final = 20
"""How many times as long as the answer took to wait before asking again: asking stays a small part of all."""

_log = structlog.get_logger(__name__)


@dataclass
class _Undecided:
    """Bytes in all lanes, and weights by lane."""

    size_bytes: int = 0
    weights: Counter[str] = field(default_factory=Counter)

    def add(self, size: BatchSize, lane: str) -> None:
        self.size_bytes += size.size_bytes
        self.weights[lane] += size.weight

    def take_off(self, size: BatchSize, lane: str) -> None:
        self.size_bytes -= size.size_bytes
        self.weights[lane] -= size.weight


@dataclass
class _Known:
    measured: _Undecided = field(default_factory=_Undecided)
    since: _Undecided = field(default_factory=_Undecided)
    """Taken here since then, less what was seen decided; below zero where the answer counted that."""
    ask_at: float = 0.0

    @property
    def size_bytes(self) -> int:
        """Bytes that have no outcome yet."""
        return max(0, self.measured.size_bytes + self.since.size_bytes)

    def weight(self, lane: str) -> int:
        """The weight of what has no outcome yet in a lane."""
        return max(0, self.measured.weights[lane] + self.since.weights[lane])


class Backlog:
    """Who has how much waiting. ``measure`` gives a client's undecided batches by lane, as one size each.

    No limit: ``most_bytes`` 0; everything within the share: ``lane_share`` 0.
    """

    def __init__(
        self,
        measure: Callable[[int], Mapping[str, BatchSize]],
        most_bytes: int,
        lane_share: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measure = measure
        self._most_bytes = most_bytes
        self._lane_share = lane_share
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}

    def admit(self, client_id: int, size: BatchSize, lane: str, surplus_lane: str) -> str:
        """Count a batch that is about to be stored, and give its lane: the surplus one beyond the share.

        Raises ApiError (429) where too much waits already; a batch that is too large by itself is let in
        where nothing else waits.
        """
        if not self._most_bytes and not self._lane_share:
            return lane
        with self._lock:
            known = self._known.setdefault(client_id, _Known())
            worth_it = (
                known.since.size_bytes + size.size_bytes > _STEP_BYTES
                or self._exceeds(known, size)
                # One that is beyond the share by itself is so whatever else waits.
                or size.weight <= self._lane_share < known.weight(lane) + size.weight
            )
            asks = worth_it and self._monotonic() >= known.ask_at
            if asks:
                # Nobody else asks meanwhile, or waits for the answer.
                known.ask_at = math.inf
        if asks:
            self._ask(client_id, known)
        with self._lock:
            if self._exceeds(known, size):
                raise self._error(known, size)
            beyond = bool(self._lane_share) and known.weight(lane) + size.weight > self._lane_share
            lane = surplus_lane if beyond else lane
            known.since.add(size, lane)
        return lane

    def decided(self, client_id: int, size: BatchSize, lane: str) -> None:
        """Count a batch no more whose outcomes are all there."""
        with self._lock:
            if (known := self._known.get(client_id)) is not None:
                known.since.take_off(size, lane)

    def _exceeds(self, known: _Known, size: BatchSize) -> bool:
        return 0 < self._most_bytes < known.size_bytes + size.size_bytes and known.size_bytes > 0

    def _ask(self, client_id: int, known: _Known) -> None:
        begun, measured = self._monotonic(), None
        with self._lock:
            stored = _Undecided(known.since.size_bytes, Counter(known.since.weights))
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
                    known.measured = _Undecided()
                    for lane, size in measured.items():
                        known.measured.add(size, lane)
                    known.since.size_bytes -= stored.size_bytes
                    known.since.weights.subtract(stored.weights)

    def _error(self, known: _Known, size: BatchSize) -> ApiError:
        seconds = min(60, max(1, math.ceil(min(known.ask_at - self._monotonic(), 60))))
        waiting = known.size_bytes + size.size_bytes
        msg = (
            f"This client has about {waiting} bytes of orders that are not decided yet; with this batch "
            f"they would exceed undecidedMaxBytes, which is {self._most_bytes}. Nothing was accepted. "
            f"Try again in {seconds} s, or when jobs of yours are done."
        )
        return ApiError(429, msg, headers={"Retry-After": str(seconds)})
