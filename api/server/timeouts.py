"""How long a thread waits for what a client sends: the head of a request, and its body."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gunicorn.http.unreader import SocketUnreader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

HEAD_SECONDS: Final = 10.0
"""For all of a head. What comes before its first byte holds no thread, and does not count."""

# A body that comes more slowly than this is not worth a thread.
BODY_FIRST_SECONDS: Final = 10.0
BODY_LEAST_BYTES_PER_SECOND: Final = 4096


class HeadTooSlowError(Exception):
    """The head of a request did not come in time. No OSError, for those gunicorn keeps from the client."""


class HeadPatience:
    """A fixed time, our own work included: that is next to none."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + seconds

    def seconds_left(self) -> float:
        """How much longer to wait."""
        return self._until - self._monotonic()

    def note(self, waited_seconds: float, received_bytes: int) -> None:
        """Sending a little earns nothing."""

    def too_slow(self) -> Exception:
        """What to raise when nothing is left."""
        return HeadTooSlowError("the head came too slowly")


class BodyPatience:
    """A total for all of it, and a least rate. For that only waiting counts: our work is not the client's."""

    def __init__(self, most_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + most_seconds
        self._waited_seconds = 0.0
        self._received_bytes = 0

    def seconds_left(self) -> float:
        """How much longer to wait, after what has come so far."""
        earned = BODY_FIRST_SECONDS + self._received_bytes / BODY_LEAST_BYTES_PER_SECOND
        return min(self._until - self._monotonic(), earned - self._waited_seconds)

    def note(self, waited_seconds: float, received_bytes: int) -> None:
        """Count a wait, and what came of it."""
        self._waited_seconds += waited_seconds
        self._received_bytes += received_bytes

    def too_slow(self) -> Exception:
        """What to raise when nothing is left; the door makes a 408 of it."""
        return TimeoutError("the body came too slowly")


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """gunicorn's reader of a connection, as long as there is patience."""

    def __init__(self, connected: socket.socket, patience: HeadPatience | BodyPatience) -> None:
        super().__init__(connected)
        self.patience = patience

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes, none at the end. Raises what the patience says."""
        left, limit = self.patience.seconds_left(), self.sock.gettimeout()
        if left <= 0:
            raise self.patience.too_slow()
        self.sock.settimeout(left if limit is None else min(left, limit))
        begun = time.monotonic()
        try:
            received: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise self.patience.too_slow() from None
        finally:
            self.sock.settimeout(limit)
        self.patience.note(time.monotonic() - begun, len(received))
        return received
