"""Timeouts of a client: how long a thread waits for the body of a request, and to send its response."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from gunicorn.http import errors
from gunicorn.http.unreader import SocketUnreader

if TYPE_CHECKING:
    from collections.abc import Callable

# A body that comes more slowly than this is not worth a thread.
BODY_FIRST_SECONDS: Final = 10.0
BODY_LEAST_BYTES_PER_SECOND: Final = 4096

# Beyond the operator's limit, an answer that is taken more slowly than this is not worth one either.
RESPONSE_LEAST_BYTES_PER_SECOND: Final = 65_536


class ReadDeadline(Protocol):
    """How long to wait for the next bytes."""

    def seconds_left(self) -> float:
        """How much longer to wait."""

    def note(self, waited_seconds: float, received_bytes: int) -> None:
        """Count a wait, and what came of it."""

    def too_slow(self) -> Exception:
        """What to raise when nothing is left."""


class WholeHead:
    """No waiting at all: a thread gets a head that is whole, or that no further byte could make right."""

    def seconds_left(self) -> float:
        """None."""
        return 0.0

    def note(self, waited_seconds: float, received_bytes: int) -> None:
        """Nothing is waited for."""

    def too_slow(self) -> Exception:
        """More was wanted than a head may have."""
        too_long: Exception = errors.LimitRequestHeaders("the head is longer than any may be")
        return too_long


class BodyDeadline:
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
        """What to raise when nothing is left; the API makes a 408 of it."""
        return TimeoutError("the body came too slowly")


class DeadlineUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's reader of a connection, up to a deadline."""

    def __init__(self, connected: Any, deadline: ReadDeadline) -> None:
        super().__init__(connected)
        self.deadline = deadline

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes, none at the end. Raises what the deadline says."""
        left, limit = self.deadline.seconds_left(), self.sock.gettimeout()
        if left <= 0:
            raise self.deadline.too_slow()
        self.sock.settimeout(left if limit is None else min(left, limit))
        begun = time.monotonic()
        try:
            received: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise self.deadline.too_slow() from None
        finally:
            self.sock.settimeout(limit)
        self.deadline.note(time.monotonic() - begun, len(received))
        return received


class UnsentBytes:
    """How much of their answers all clients of a process together have not taken yet."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()

    def reserve(self, size_bytes: int) -> bool:
        """Take so much of the room; False where there is not so much left."""
        with self._lock:
            if self._bytes + size_bytes > self._most_bytes:
                return False
            self._bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        """Give so much back."""
        with self._lock:
            self._bytes -= size_bytes


class ResponseSocket:
    """A connection as gunicorn writes to it, without a thread that waits for the client to read.

    What the client does not take at once is kept, up to ``kept_max_bytes``, for whoever calls ``flush``. Of a
    larger one the thread waits for the rest, ``response_seconds`` and a second more for each 64 KiB at most.
    """

    def __init__(
        self, connected: socket.socket, unsent: UnsentBytes, *, kept_max_bytes: int, response_seconds: float
    ) -> None:
        self._connected = connected
        self._room = unsent
        self._kept_max_bytes = kept_max_bytes
        self._response_seconds = response_seconds
        self._kept: deque[memoryview] = deque()
        self._kept_bytes = 0
        self._waited_seconds = 0.0
        self._sent_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Everything else is the connection's own."""
        return getattr(self._connected, name)

    @property
    def has_unsent(self) -> bool:
        """Whether something of the answer is still kept."""
        return bool(self._kept)

    def begin_response(self) -> None:
        """What follows is another answer."""
        self._waited_seconds, self._sent_bytes = 0.0, 0

    def sendall(self, data: bytes) -> None:
        """Send, or keep. Raises TimeoutError when the client takes too little, OSError when it is gone."""
        view = memoryview(data)
        if not self._kept:
            view = self._sent(view)
        while len(view) > 0 and not self._keep(view):
            # What is too large to be kept, and what was kept before it, has to go first.
            self._wait()
            self.flush()
            if not self._kept:
                view = self._sent(view)

    def flush(self) -> None:
        """Send of what is kept as much as the client takes. Raises OSError when it is gone."""
        while self._kept:
            left = self._sent(self._kept[0])
            self._release(len(self._kept[0]) - len(left))
            if len(left) > 0:
                self._kept[0] = left
                return
            self._kept.popleft()

    def forget(self) -> None:
        """What is kept goes nowhere."""
        self._kept.clear()
        self._release(self._kept_bytes)

    def close(self) -> None:
        """Hang up."""
        self.forget()
        self._connected.close()

    def _keep(self, view: memoryview) -> bool:
        if self._kept_bytes + len(view) > self._kept_max_bytes:
            return False
        if not self._room.reserve(len(view)):
            raise TimeoutError("too many clients do not take their answers")
        self._kept.append(view)
        self._kept_bytes += len(view)
        return True

    def _release(self, size_bytes: int) -> None:
        self._kept_bytes -= size_bytes
        self._room.release(size_bytes)

    def _sent(self, view: memoryview) -> memoryview:
        while len(view) > 0 and self._is_writable(0):
            # Without the flag, a socket that blocks would take all of it.
            sent = self._connected.send(view, socket.MSG_DONTWAIT)
            # What the kernel takes before the client is waited for tells nothing of the client.
            self._sent_bytes += sent if self._waited_seconds else 0
            view = view[sent:]
        return view

    def _wait(self) -> None:
        left = (
            self._response_seconds + self._sent_bytes / RESPONSE_LEAST_BYTES_PER_SECOND - self._waited_seconds
        )
        begun = time.monotonic()
        if left <= 0 or not self._is_writable(left):
            raise TimeoutError("the client does not take its answer")
        self._waited_seconds += time.monotonic() - begun

    def _is_writable(self, limit_seconds: float) -> bool:
        looking = select.poll()
        looking.register(self._connected, select.POLLOUT)
        return bool(looking.poll(limit_seconds * 1000))
