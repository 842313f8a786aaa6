"""What comes while others are on their way goes together with the next: a commit and a message for many.

A few rounds may be under way at once; each begins with storing and ends when its first member is answered.
Whoever comes while one more may begin begins it at once, so whoever comes alone waits for nobody. Whoever
comes later waits until a round ends, and then all that wait go together: the busier, the more share one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

ROUNDS_MAX: Final = 2
"""Rounds under way at once: one is with the workers while the other is stored. Each may hold hundreds of
batches, so more of them would not be faster, only smaller."""

ROUND_SECONDS: Final = 0.2
"""How long a round keeps others from beginning one; workers may be busy with something large, or away."""


@dataclass(eq=False, kw_only=True)
class Member:
    """One who takes part in a round, once."""

    id: UUID
    size_bytes: int
    leads: bool = False
    called: threading.Event = field(default_factory=threading.Event)


M = TypeVar("M", bound=Member)


class Rounds(Generic[M]):
    """The rounds of one process. ``do`` is done once for all members of one, by one of them."""

    def __init__(
        self, do: Callable[[list[M]], None], max_bytes: int, round_seconds: float = ROUND_SECONDS
    ) -> None:
        self._do = do
        self._max_bytes = max_bytes
        self._round_seconds = round_seconds
        self._lock = threading.Lock()
        self._waiting: deque[M] = deque()
        self._under_way: dict[UUID, float] = {}

    def join(self, member: M) -> None:
        """Have it done for a member, with others or alone; by this very thread if it happens to lead.

        Raises what ``do`` raises, to the leader alone: the others only find that it was not done.
        """
        with self._lock:
            self._waiting.append(member)
            self._begin()
        while not member.called.wait(self._round_seconds):
            with self._lock:
                self._begin()
        if member.leads:
            self._lead(member)

    def waiting_count(self) -> int:
        """Tell how many wait for a round."""
        with self._lock:
            return len(self._waiting)

    def end(self, leader_id: UUID) -> None:
        """Say that whoever has this id has been answered; if it has led a round, that is over."""
        with self._lock:
            if self._under_way.pop(leader_id, None) is not None:
                self._begin()

    def _begin(self) -> None:
        now = time.monotonic()
        for late in [leader_id for leader_id, until in self._under_way.items() if until <= now]:
            del self._under_way[late]
        while self._waiting and len(self._under_way) < ROUNDS_MAX:
            leader = self._waiting.popleft()
            leader.leads = True
            self._under_way[leader.id] = now + self._round_seconds
            leader.called.set()

    def _lead(self, leader: M) -> None:
        together = self._company_of(leader)
        try:
            self._do(together)
        except BaseException:
            self.end(leader.id)
            raise
        finally:
            # Whatever happened to the leader: nobody waits for it any longer.
            for member in together:
                member.called.set()

    def _company_of(self, leader: M) -> list[M]:
        together, room = [leader], self._max_bytes - leader.size_bytes
        with self._lock:
            while self._waiting and self._waiting[0].size_bytes <= room:
                room -= self._waiting[0].size_bytes
                together.append(self._waiting.popleft())
        return together
