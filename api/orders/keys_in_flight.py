"""Idempotency-Keys whose first request is being stored: the same key again waits here, and keeps nobody else.

In the database it would wait for the first one's commit inside a statement that it shares with other clients'
batches, or in one of a few connections.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.web.errors import ApiError
from shared.domain.outcome import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator


class KeysInFlight:
    """Those of one process, each of a client's own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: set[tuple[int, str]] = set()

    @contextmanager
    def alone(self, client_id: int, key: str | None, limit_seconds: float) -> Iterator[None]:
        """Hold a key for the time of the block, after whoever holds it. None: there is nothing to hold.

        Raises ApiError (409) when it is still held after ``limit_seconds``.
        """
        if key is None:
            yield
            return
        mine = (client_id, key)
        with self._changed:
            if not self._changed.wait_for(lambda: mine not in self._held, limit_seconds):
                raise ApiError(
                    409,
                    f"The Idempotency-Key {quoted(key)} is that of a request which is still being stored; "
                    "send this one again when that has been answered.",
                    headers={"Retry-After": "1"},
                )
            self._held.add(mine)
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(mine)
                self._changed.notify_all()
