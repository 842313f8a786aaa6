"""The memory budget: how many bytes of bodies and answers this process holds at once, for all clients."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from api.web.errors import ApiError

if TYPE_CHECKING:
    from types import TracebackType

SMALL_BYTES = 1 << 18
"""Not worth refusing: a thread needs about as much for itself."""


class MemoryBudget:
    """So many bytes. A small need always fits, and one alone; another is refused, and may come again."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._reserved_bytes = 0

    def reservation(self) -> MemoryReservation:
        """A part of the budget, nothing yet; to be released, or used as the context of a block."""
        return MemoryReservation(self)

    def reserve(self, more_bytes: int, own_bytes: int) -> None:
        """Reserve more for a reservation of ``own_bytes``. Raises ApiError (503)."""
        with self._lock:
            others = self._reserved_bytes - own_bytes
            small = own_bytes + more_bytes <= SMALL_BYTES
            if others and not small and self._reserved_bytes + more_bytes > self._most_bytes:
                raise _exhausted()
            self._reserved_bytes += more_bytes

    def release(self, released_bytes: int) -> None:
        """Release what a reservation does not need any more."""
        with self._lock:
            self._reserved_bytes -= released_bytes


class MemoryReservation:
    """What one request holds of the budget. It belongs to one thread at a time."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._own_bytes = 0

    def reserve(self, more_bytes: int) -> None:
        """Reserve so many more. Raises ApiError (503), and then has what it had before."""
        self._budget.reserve(more_bytes, self._own_bytes)
        self._own_bytes += more_bytes

    def shrink(self, to_bytes: int) -> None:
        """Keep no more than so many."""
        spare = max(0, self._own_bytes - to_bytes)
        self._own_bytes -= spare
        self._budget.release(spare)

    def release(self) -> None:
        """Release everything; again, nothing."""
        self.shrink(0)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release."""
        self.release()


def _exhausted() -> ApiError:
    return ApiError(
        503,
        "Too many large bodies and answers are held at once; nothing was accepted. Try again in a moment.",
        headers={"Retry-After": "2"},
    )
