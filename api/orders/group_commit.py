"""Group commit: small batches that arrive together share one transaction, and one message to the workers.

A few groups may be in progress at once; each begins with its commit and ends when the request that committed
it is answered. What is submitted while one more group may begin is committed at once, so a batch that comes
alone waits for nobody. What is submitted later waits until a group ends, and then all that wait are committed
as one: the busier, the larger the groups.
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

GROUPS_MAX: Final = 2
"""Groups in progress at once: one is with the workers while the other is stored. Each may hold hundreds of
batches, so more of them would not be faster, only smaller."""

GROUP_SECONDS: Final = 0.2
"""How long a group keeps others from beginning; workers may be busy with something large, or away."""


@dataclass(eq=False, kw_only=True)
class Submission:
    """What is to be committed, once. ``commits``: its own thread is the one that commits its group."""

    id: UUID
    size_bytes: int
    commits: bool = False
    woken: threading.Event = field(default_factory=threading.Event)


S = TypeVar("S", bound=Submission)


class GroupCommit(Generic[S]):
    """The groups of one process. ``commit`` is called once for all of a group, by the thread of one of them.

    A group has at most ``max_bytes``, or a single submission.
    """

    def __init__(
        self, commit: Callable[[list[S]], None], max_bytes: int, group_seconds: float = GROUP_SECONDS
    ) -> None:
        self._commit = commit
        self._max_bytes = max_bytes
        self._group_seconds = group_seconds
        self._lock = threading.Lock()
        self._waiting: deque[S] = deque()
        self._in_progress: dict[UUID, float] = {}

    def submit(self, submission: S) -> None:
        """Have it committed, with others or alone; returns after that.

        Raises what ``commit`` raises, to the thread that has called it alone: the others only find that
        theirs was not committed.
        """
        with self._lock:
            self._waiting.append(submission)
            self._begin_groups()
        while not submission.woken.wait(self._group_seconds):
            with self._lock:
                self._begin_groups()
        if submission.commits:
            self._commit_group(submission)

    def waiting_count(self) -> int:
        """Tell how many wait for a group."""
        with self._lock:
            return len(self._waiting)

    def finish(self, submission_id: UUID) -> None:
        """Say that the request of this id has been answered; if it has committed a group, that one ends."""
        with self._lock:
            if self._in_progress.pop(submission_id, None) is not None:
                self._begin_groups()

    def _begin_groups(self) -> None:
        now = time.monotonic()
        for late in [first_id for first_id, until in self._in_progress.items() if until <= now]:
            del self._in_progress[late]
        while self._waiting and len(self._in_progress) < GROUPS_MAX:
            first = self._waiting.popleft()
            first.commits = True
            self._in_progress[first.id] = now + self._group_seconds
            first.woken.set()

    def _commit_group(self, first: S) -> None:
        group = self._group_of(first)
        try:
            self._commit(group)
        except BaseException:
            self.finish(first.id)
            raise
        finally:
            # Whatever happened to the thread that commits: nobody waits for it.
            for submission in group:
                submission.woken.set()

    def _group_of(self, first: S) -> list[S]:
        group, free_bytes = [first], self._max_bytes - first.size_bytes
        with self._lock:
            while self._waiting and self._waiting[0].size_bytes <= free_bytes:
                free_bytes -= self._waiting[0].size_bytes
                group.append(self._waiting.popleft())
        return group
