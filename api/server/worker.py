"""gunicorn's threaded worker, made for a door without a proxy in front of it.

gunicorn leaves slow clients to a proxy: one that sends a byte now and then holds a thread for as long as it
likes. Here everything that a thread waits for has a limit. What gunicorn cannot read is refused in our own
words, for its own repeat what the client sent, in the answer and in the log. And when it is told to stop, it
closes the door at once, and requests that wait are answered in time.
"""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers import gthread

from api.server.timeouts import HEAD_SECONDS, BodyPatience, HeadPatience, HeadTooSlowError, PatientUnreader

if TYPE_CHECKING:
    from shared.settings import Settings

# Of a stopping worker's grace, for answers to be written and connections to be closed.
_LEAVING_SECONDS: Final = 3
_PARTING_SECONDS: Final = 2.0
_PARTING_BYTES: Final = 1 << 16

_REFUSALS: Final[tuple[tuple[type[Exception], int, str, str], ...]] = (
    (HeadTooSlowError, 408, "Request Timeout", "its head came too slowly"),
    (errors.LimitRequestLine, 414, "URI Too Long", "its first line is too long"),
    (
        errors.LimitRequestHeaders,
        431,
        "Request Header Fields Too Large",
        "its headers are too many or too long",
    ),
    (errors.ExpectationFailed, 417, "Expectation Failed", "of Expect, only 100-continue is known"),
    (errors.UnsupportedTransferCoding, 501, "Not Implemented", "of transfer codings, only chunked is known"),
    (errors.InvalidHTTPVersion, 400, "Bad Request", "it is not HTTP/1.1"),
    (errors.InvalidRequestLine, 400, "Bad Request", "its first line is malformed"),
    (errors.InvalidRequestMethod, 400, "Bad Request", "its method is malformed"),
    (errors.InvalidHeaderName, 400, "Bad Request", "the name of a header is malformed"),
    (errors.InvalidHeader, 400, "Bad Request", "a header is malformed or contradicts another"),
    (errors.ParseException, 400, "Bad Request", "it is malformed"),
)

# These are of the same classes, but no fault of the client's.
_OURS: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """One process of threads."""

    def init_process(self) -> None:
        """Begin to work; does not return before the end."""
        from api.app import answer_soon  # noqa: PLC0415 - the arbiter needs none of it

        settings: Settings = self.app.settings
        self._slow_seconds = settings.body_seconds_max
        grace_seconds = settings.api_grace_seconds
        self._answer_seconds = max(grace_seconds - _LEAVING_SECONDS, grace_seconds / 2)
        self._answer_soon = answer_soon
        # Until it is there.
        self.wsgi = None
        super().init_process()

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread; one that has not said anything yet waits without."""
        if self.alive and not conn.initialized and not conn.data_ready:
            # gunicorn does this as well, but only after a thread has waited five seconds for the first byte.
            silent: Future[Any] = Future()
            silent.set_result(gthread._DEFER)  # noqa: SLF001 - there is no other way to say it
            self.finish_request(conn, silent)
        else:
            super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer one request, in a thread."""
        conn.init()
        patience = HeadPatience(min(HEAD_SECONDS, self._slow_seconds))
        if isinstance(conn.parser.unreader, PatientUnreader):
            conn.parser.unreader.patience = patience
        else:
            conn.parser.unreader = PatientUnreader(conn.sock, patience)
        kept = super().handle(conn)
        if not kept:
            _part(conn.sock)
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head is there."""
        conn.parser.unreader.patience = BodyPatience(self._slow_seconds)
        # For each write, and an answer is one.
        conn.sock.settimeout(self._slow_seconds)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.info("A client did not take its answer in time.")
            return False

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """Answer a request that could not be read with the envelope of every refusal (CONTRACT 1)."""
        status, reason, why = _refusal_of(exc)
        if status == 500:  # noqa: PLR2004 - HTTP's own
            self.log.error("A request was not answered.", exc_info=exc)
        else:
            self.log.info("A request of %s could not be read: %s.", (addr or ("?",))[0], why)
        try:
            util.write_nonblock(client, _refusal(status, reason, why))
        except OSError as error:
            self.log.debug("The client did not wait for its refusal: %s.", type(error).__name__)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: no new requests, and those that wait are answered before the grace is over."""
        if self.wsgi is not None:
            self._answer_soon(self.wsgi, self._answer_seconds)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Let connections in or leave them to others; at the end, take those that knocked and close the door.

        A door that stays open without anybody behind it lets clients wait until the process is gone.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            before = -1
            while self.nr_conns > before:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        self._hang_up_on_the_silent()

    def _hang_up_on_the_silent(self) -> None:
        """Give connections that have not said anything no longer than kept ones, which gunicorn sees to."""
        until = time.monotonic() + gthread.STOP_KEEPALIVE_LINGER
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, until)


def _refusal_of(exc: BaseException) -> tuple[int, str, str]:
    for kind, status, reason, why in _REFUSALS:
        if isinstance(exc, kind) and not isinstance(exc, _OURS):
            return status, reason, why
    return 500, "Internal Server Error", ""


def _refusal(status: int, reason: str, why: str) -> bytes:
    msg = f"The request cannot be read: {why}." if why else "Something is wrong here, not with your request."
    body = json.dumps({"status": "no", "code": -7, "msg": msg}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def _part(connected: socket.socket) -> None:
    """Let the client read its answer to the end before the connection goes (RFC 9112, 9.6).

    gunicorn does this as well, but in the thread that accepts connections, where a client that does not hang
    up keeps everybody else waiting. Of a connection that was parted with, nothing is left to wait for.
    """
    until, drained = time.monotonic() + _PARTING_SECONDS, 0
    try:
        connected.shutdown(socket.SHUT_WR)
        while drained < _PARTING_BYTES and (left := until - time.monotonic()) > 0:
            connected.settimeout(left)
            received = len(connected.recv(8192))
            if not received:
                break
            drained += received
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was quicker
