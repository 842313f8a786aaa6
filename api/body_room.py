"""How many bytes of bodies this process holds at once, from the first byte read until they are stored."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# Not worth refusing: a thread needs about as much for itself.
_SMALL_BYTES = 1 << 18


class BodyRoom:
    """So many bytes. A small body always fits, and one alone; another is refused, and may come again."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._taken_bytes = 0

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """A share of the room, to be taken from as a body grows; all of it is free again after the block.

        Taking raises Refusal (503).
        """
        own = 0

        def take(more_bytes: int) -> None:
            nonlocal own
            with self._lock:
                others = self._taken_bytes - own
                small = own + more_bytes <= _SMALL_BYTES
                if others and not small and self._taken_bytes + more_bytes > self._most_bytes:
                    raise _no_room()
                self._taken_bytes += more_bytes
                own += more_bytes

        try:
            yield take
        finally:
            with self._lock:
                self._taken_bytes -= own


def _no_room() -> Refusal:
    return Refusal(
        503,
        "Too many large bodies are being read at once; nothing was accepted. Try again in a moment.",
        headers={"Retry-After": "2"},
    )
