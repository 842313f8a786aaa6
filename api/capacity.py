"""Concurrency limits of a process: requests, heavy reads and waits at once, by client and in all."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from api.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.settings import Settings

_HEAVY_SECONDS: Final = 10.0

on_waiting: ContextVar[Callable[[], None] | None] = ContextVar("on_waiting", default=None)
"""What the server wants to be told when the present request begins to wait: its client's next may come."""


@dataclass(frozen=True, kw_only=True)
class CapacityLimits:
    """Numbers of a process. A thread that waits for outcomes is none that requests can have."""

    requests_max: int
    requests_max_per_client: int
    waiters_max: int
    waiters_max_per_client: int
    followers_max: int
    followers_max_per_client: int
    heavy_max_per_client: int


def capacity_limits(settings: Settings) -> CapacityLimits:
    """What fits the threads of a process: a third of them never waits, and no client has half of those."""
    threads = settings.api_threads
    waiters_max = min(settings.waiters_max, threads * 2 // 3)
    waiters_max_per_client = min(settings.waiters_max_per_key, waiters_max)
    # A few are left to refuse the others with.
    requests_max = max(1, threads - waiters_max - threads // 16)
    return CapacityLimits(
        requests_max=requests_max,
        requests_max_per_client=min(settings.requests_max_per_key, max(1, requests_max // 2)),
        waiters_max=waiters_max,
        waiters_max_per_client=waiters_max_per_client,
        # They may follow for long: whoever waits for outcomes always has the other half.
        followers_max=min(settings.followers_max, max(1, waiters_max // 2)),
        followers_max_per_client=min(settings.followers_max_per_key, max(1, waiters_max_per_client // 2)),
        heavy_max_per_client=max(1, settings.database_pool_size // 2),
    )


class ConcurrencyLimit:
    """So many at once, and of those so many of one client."""

    def __init__(self, *, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._changed = threading.Condition()
        self._held: Counter[int] = Counter()

    def acquire(self, client_id: int, limit_seconds: float = 0.0) -> bool:
        """Count one more, waiting so long for it to be allowed; whether it was."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(client_id), limit_seconds):
                return False
            self._held[client_id] += 1
            return True

    def release(self, client_id: int) -> None:
        """Count one less."""
        with self._changed:
            self._held[client_id] -= 1
            if not self._held[client_id]:
                del self._held[client_id]
            self._changed.notify_all()

    def held_by(self, client_id: int) -> int:
        """How many a client has."""
        with self._changed:
            return self._held[client_id]

    def held_count(self) -> int:
        """How many all have."""
        with self._changed:
            return self._held.total()

    def _is_free(self, client_id: int) -> bool:
        return self._held.total() < self._most and self._held[client_id] < self._most_per_client


class Capacity:
    """The limits of a process. Long polls and streams wait too, and not all who wait may be those."""

    def __init__(self, limits: CapacityLimits) -> None:
        self.limits = limits
        self.requests = ConcurrencyLimit(
            most=limits.requests_max, most_per_client=limits.requests_max_per_client
        )
        self.waiters = ConcurrencyLimit(
            most=limits.waiters_max, most_per_client=limits.waiters_max_per_client
        )
        self.followers = ConcurrencyLimit(
            most=limits.followers_max, most_per_client=limits.followers_max_per_client
        )
        self.heavy = ConcurrencyLimit(most=limits.requests_max, most_per_client=limits.heavy_max_per_client)

    def admit(self, client_id: int, *, heavy: bool) -> Permit:
        """Give a request its permit, until it is answered. Raises ApiError (429, 503).

        One that is ``heavy`` on the database waits for its turn among those of its client.
        """
        if not self.requests.acquire(client_id):
            raise self._error(client_id)
        permit = Permit(self, client_id)
        if heavy and not permit.become_heavy(_HEAVY_SECONDS):
            permit.release()
            raise self._too_heavy()
        return permit

    @contextmanager
    def heavily(self, permit: Permit | None) -> Iterator[None]:
        """Count a request among the large reads of its client for the time of the block, not while it waits.

        Raises ApiError (429).
        """
        if permit is None:
            yield
            return
        if not permit.become_heavy(_HEAVY_SECONDS):
            raise self._too_heavy()
        try:
            yield
        finally:
            permit.cease_to_be_heavy()

    def _too_heavy(self) -> ApiError:
        return ApiError(
            429,
            f"{self.limits.heavy_max_per_client} large reads of this client are under way already; "
            "nothing was done. Ask for fewer at once.",
            headers={"Retry-After": "1"},
        )

    def _error(self, client_id: int) -> ApiError:
        most = self.limits.requests_max_per_client
        if self.requests.held_by(client_id) >= most:
            return ApiError(
                429,
                f"{most} requests of this client are being answered already, which is the limit "
                "requestsMaxPerKey; nothing was accepted. Send fewer at once.",
                headers={"Retry-After": "1"},
            )
        return ApiError(
            503,
            "Too many requests are being answered at once; nothing was accepted. Try again in a moment.",
            headers={"Retry-After": "1"},
        )


class Permit:
    """What one request holds of the limits; it belongs to one thread at a time."""

    def __init__(self, capacity: Capacity, client_id: int) -> None:
        self._capacity = capacity
        self._client_id = client_id
        self._held = [capacity.requests]

    def become_heavy(self, limit_seconds: float) -> bool:
        """Count among the large reads of the client too; whether that was allowed in time."""
        return self._acquire(self._capacity.heavy, limit_seconds)

    def cease_to_be_heavy(self) -> None:
        """Count among the large reads no more."""
        self._held.remove(self._capacity.heavy)
        self._capacity.heavy.release(self._client_id)

    def begin_waiting(self) -> bool:
        """Count as a waiter from now on, and not as a request; whether that is allowed."""
        if self._capacity.waiters in self._held:
            return True
        if not self._acquire(self._capacity.waiters, 0.0):
            return False
        self._held.remove(self._capacity.requests)
        self._capacity.requests.release(self._client_id)
        if (tell := on_waiting.get()) is not None:
            tell()
        return True

    def begin_following(self) -> bool:
        """Count as a follower and a waiter from now on, and not as a request; whether that is allowed."""
        if self._capacity.followers in self._held:
            return True
        return self._acquire(self._capacity.followers, 0.0) and self.begin_waiting()

    def release(self) -> None:
        """Release everything; again, nothing."""
        while self._held:
            self._held.pop().release(self._client_id)

    def _acquire(self, limit: ConcurrencyLimit, limit_seconds: float) -> bool:
        acquired = limit.acquire(self._client_id, limit_seconds)
        if acquired:
            self._held.append(limit)
        return acquired
