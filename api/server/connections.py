"""Connections that no thread has: they send a head, take the rest of an answer, or are on their way out."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gunicorn.workers import gthread

from api.server.error_responses import error_bytes
from api.server.heads import IncomingHead
from api.server.timeouts import ResponseSocket, UnsentBytes

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_SECONDS: Final = 10.0
"""For all of a head, from its first byte."""

UNSENT_MAX_BYTES: Final = 64 << 20
"""Of answers that clients have not taken, all together; and of one connection's, the next. What is more holds
a thread, and a client that is to get it has shown a key."""
UNSENT_OF_ONE_MAX_BYTES: Final = 256 << 10

_PARTING_SECONDS: Final = 2.0
_PARTING_MAX_BYTES: Final = 1 << 16
_READ_BYTES: Final = 8192
# How often it is looked for those whose time is over.
_LOOK_SECONDS: Final = 0.25
_FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ClientConnection(gthread.TConn):  # type: ignore[misc]  # gunicorn has no types
    """One connection, and the head that is coming on it."""

    def __init__(self, cfg: Any, connected: ResponseSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, connected, client, server)
        self._head_limits = {
            "line_max_bytes": cfg.limit_request_line,
            # As gunicorn counts; the line, its end, and an empty line before it come in addition.
            "most_bytes": cfg.limit_request_line
            + 4
            + cfg.limit_request_fields * (cfg.limit_request_field_size + 2)
            + 4,
        }
        self.stays = True
        self.drained_bytes = 0
        self.begin_head()

    def begin_head(self) -> None:
        """What comes now is another request."""
        self.head = IncomingHead(**self._head_limits)


@dataclass(frozen=True)
class _Stage:
    """What a connection without a thread is waiting for, until when, and what comes then."""

    until: float
    ready: Callable[[ClientConnection], None]
    late: Callable[[ClientConnection], None]


class Connections:
    """All of a process; for its loop alone, and nothing here waits."""

    def __init__(
        self,
        worker: Any,
        *,
        connections_max: int,
        head_seconds: float,
        silent_seconds: float,
        response_seconds: float,
    ) -> None:
        self._worker = worker
        self._connections_max = connections_max
        self._head_seconds = head_seconds
        self._silent_seconds = silent_seconds
        self._response_seconds = response_seconds
        self._unsent = UnsentBytes(UNSENT_MAX_BYTES)
        self._stages: dict[ClientConnection, _Stage] = {}
        self._look_at = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; when there are too many, in the place of whoever has kept one longest."""
        try:
            connected, client = listener.accept()
        except OSError as error:
            if error.errno in _FULL and self._make_room():
                return
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, *_FULL):
                raise
            return
        self._worker.nr_conns += 1
        if self._worker.nr_conns >= self._connections_max:
            self._make_room()
        connected.setblocking(False)
        answering = ResponseSocket(
            connected,
            self._unsent,
            kept_max_bytes=UNSENT_OF_ONE_MAX_BYTES,
            response_seconds=self._response_seconds,
        )
        self._await_head(ClientConnection(self._worker.cfg, answering, client, listener.getsockname()))

    def go_on(self, conn: ClientConnection, stays: bool) -> None:
        """See to a connection whose request was answered: what is unsent, then the next head or the end."""
        conn.stays = stays
        try:
            conn.sock.setblocking(False)
            self._send_rest(conn)
        except OSError:
            self._drop(conn)

    def hurry(self, seconds: float) -> None:
        """Give those that have not asked for anything yet no longer than this."""
        until = time.monotonic() + seconds
        for conn, stage in self._stages.items():
            if stage.late == self._head_late and stage.until > until:
                self._stages[conn] = _Stage(until, stage.ready, stage.late)

    def end_late_ones(self) -> None:
        """End what has lasted too long."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_SECONDS
        for conn, stage in [(conn, stage) for conn, stage in self._stages.items() if stage.until <= now]:
            self._leave_stage(conn)
            stage.late(conn)

    def drop_all(self) -> None:
        """Hang up on all that have no thread."""
        for conn in list(self._stages):
            self._leave_stage(conn)
            self._drop(conn)

    def _await_head(self, conn: ClientConnection) -> None:
        if conn.head.is_whole:
            self._worker.enqueue_req(conn)
            return
        seconds = self._head_seconds if len(conn.head) else self._silent_seconds
        if not self._worker.alive:
            seconds = min(seconds, gthread.STOP_KEEPALIVE_LINGER)
        self._enter_stage(conn, selectors.EVENT_READ, seconds, self._read_head, self._head_late)

    def _read_head(self, conn: ClientConnection) -> None:
        received = conn.sock.recv(_READ_BYTES)
        if not received:
            self._leave_stage(conn)
            self._drop(conn)
            return
        begins = not len(conn.head)
        conn.head.add(received)
        if conn.head.is_whole:
            self._leave_stage(conn)
            self._worker.enqueue_req(conn)
        elif begins:
            self._leave_stage(conn)
            self._await_head(conn)

    def _head_late(self, conn: ClientConnection) -> None:
        if not len(conn.head):
            self._drop(conn)
            return
        self.refuse(conn, 408, "Request Timeout", "its head came too slowly")

    def refuse(self, conn: ClientConnection, status: int, reason: str, why: str) -> None:
        """Answer a request that no thread has seen, and end its connection."""
        self._worker.log.info("A request of %s was not read: %s.", _name(conn), why)
        try:
            conn.sock.sendall(error_bytes(status, reason, why))
        except OSError:
            self._drop(conn)
            return
        self.go_on(conn, stays=False)

    def _send_rest(self, conn: ClientConnection) -> None:
        conn.sock.flush()
        if conn.sock.has_unsent:
            if conn not in self._stages:
                self._enter_stage(
                    conn, selectors.EVENT_WRITE, self._response_seconds, self._send_rest, self._rest_late
                )
            return
        if conn in self._stages:
            self._leave_stage(conn)
        if not conn.stays:
            self._part(conn)
            return
        # What was read ahead of a body's end belongs to the next request.
        conn.begin_head()
        if ahead := conn.parser.unreader.take_buffered():
            conn.head.add(ahead)
        self._await_head(conn)

    def _rest_late(self, conn: ClientConnection) -> None:
        self._worker.log.info("A client did not take its answer in time.")
        self._drop(conn)

    def _part(self, conn: ClientConnection) -> None:
        """Let the client read its answer to the end before the connection goes (RFC 9112, 9.6)."""
        conn.sock.shutdown(socket.SHUT_WR)
        self._enter_stage(conn, selectors.EVENT_READ, _PARTING_SECONDS, self._drain, self._drop)

    def _drain(self, conn: ClientConnection) -> None:
        received = conn.sock.recv(_READ_BYTES)
        conn.drained_bytes += len(received)
        if not received or conn.drained_bytes >= _PARTING_MAX_BYTES:
            self._leave_stage(conn)
            self._drop(conn)

    def _make_room(self) -> bool:
        """End the connection whose time is over first; whether there was one."""
        if not self._stages:
            return False
        first = min(self._stages, key=lambda conn: self._stages[conn].until)
        self._leave_stage(first)
        self._drop(first)
        return True

    def _enter_stage(
        self,
        conn: ClientConnection,
        event: int,
        seconds: float,
        ready: Callable[[ClientConnection], None],
        late: Callable[[ClientConnection], None],
    ) -> None:
        self._stages[conn] = _Stage(time.monotonic() + seconds, ready, late)
        self._worker.poller.register(conn.sock, event, lambda _: self._is_ready(conn))

    def _is_ready(self, conn: ClientConnection) -> None:
        stage = self._stages.get(conn)
        if stage is None:
            return  # it was ended by what came before it in the same round
        try:
            stage.ready(conn)
        except BlockingIOError:
            return
        except OSError:
            if conn in self._stages:
                self._leave_stage(conn)
            self._drop(conn)

    def _leave_stage(self, conn: ClientConnection) -> None:
        del self._stages[conn]
        self._worker.poller.unregister(conn.sock)

    def _drop(self, conn: ClientConnection) -> None:
        self._worker.nr_conns -= 1
        conn.close()


def _name(conn: ClientConnection) -> str:
    return str((conn.client or ("?",))[0])
