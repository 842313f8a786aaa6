"""Queues of requests by key: of one key so many have threads at once, and its others wait without one."""

from __future__ import annotations

import re
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.server.connections import ClientConnection

QUEUED_MAX: Final = 500
"""Requests of one key that may wait for a thread: a quarter of all connections."""

# Whether it is a key is found out by a thread. Who writes it in two ways has two queues, and is counted by
# what the key is then (api.capacity).
_CREDENTIALS: Final = re.compile(
    rb"\r\n(?:API-)?Authorization:[ \t]*(?:Bearer[ \t]+)?([^\r]*)", re.IGNORECASE
)


class KeyQueues:
    """The queues of a process, for its loop alone. ``start`` gives a connection to a thread."""

    def __init__(self, start: Callable[[ClientConnection], None], most_per_key: int) -> None:
        self._start = start
        self._most_per_key = most_per_key
        self._started: dict[ClientConnection, bytes] = {}
        self._counts: Counter[bytes] = Counter()
        self._queued: dict[bytes, deque[ClientConnection]] = {}

    def add(self, conn: ClientConnection) -> bool:
        """Start a request, now or when it is its turn; False when too many of its key wait already."""
        key = credentials(conn.head.received())
        if self._counts[key] < self._most_per_key:
            self._begin(conn, key)
            return True
        queue = self._queued.setdefault(key, deque())
        if len(queue) >= QUEUED_MAX:
            return False
        queue.append(conn)
        return True

    def end(self, conn: ClientConnection) -> None:
        """A request needs its thread no more; again, nothing."""
        key = self._started.pop(conn, None)
        if key is None:
            return
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]
        if (queue := self._queued.get(key)) is not None:
            following = queue.popleft()
            if not queue:
                del self._queued[key]
            self._begin(following, key)

    def _begin(self, conn: ClientConnection, key: bytes) -> None:
        self._started[conn] = key
        self._counts[key] += 1
        self._start(conn)


def credentials(head: bytes) -> bytes:
    """What a request shows, ``b""`` for nothing."""
    shown = _CREDENTIALS.search(head[: head.find(b"\r\n\r\n")])
    return shown[1].strip() if shown else b""
