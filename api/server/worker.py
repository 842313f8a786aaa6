"""gunicorn's threaded worker, made to stand without a proxy in front of it.

gunicorn leaves slow clients to a proxy: one that sends a byte now and then holds a thread for as long as it
likes. Here the loop that accepts connections also collects heads, sends the rest of answers and sees clients
off; a thread gets a request whose head is whole, and everything that it waits for has a limit. Probes have
threads of their own. When it is told to stop, it takes no new connections from then on, and requests that
wait are answered in time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gunicorn.workers import gthread

from api.capacity import capacity_limits, on_waiting
from api.server.connections import HEAD_SECONDS, ClientConnection, Connections
from api.server.error_responses import SERVER_FAULT, TOO_MANY_REQUESTS, error_bytes, status_of
from api.server.heads import check_head
from api.server.key_queues import KeyQueues
from api.server.timeouts import BodyDeadline, DeadlineUnreader, WholeHead

if TYPE_CHECKING:
    from concurrent.futures import Future

    from shared.settings import Settings

# Of a stopping worker's grace, for answers to be written and connections to be closed.
_LEAVING_SECONDS: Final = 3
# For what has been sent of a body that nobody read. It holds a thread, and needs no key.
_DRAIN_SECONDS: Final = 0.1

PROBE_THREADS: Final = {b"/healthz": 2, b"/readyz": 4}
"""Threads that nobody gets who asks for something else. They are apart, for /readyz waits for others."""


class DeadlineWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of threads."""

    def init_process(self) -> None:
        """Begin to work; does not return before the end."""
        from api.app import shorten_waits  # noqa: PLC0415 - the arbiter needs none of it

        settings: Settings = self.app.settings
        self._slow_seconds = settings.body_seconds_max
        grace_seconds = settings.api_grace_seconds
        self._response_seconds = max(grace_seconds - _LEAVING_SECONDS, grace_seconds / 2)
        self._shorten_waits = shorten_waits
        self._probes: dict[bytes, Any] = {
            path: ThreadPoolExecutor(threads, thread_name_prefix="probe")
            for path, threads in PROBE_THREADS.items()
        }
        # Until it is there.
        self.wsgi = None
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop."""
        self._connections = Connections(
            self,
            connections_max=self.cfg.worker_connections,
            head_seconds=min(HEAD_SECONDS, self._slow_seconds),
            silent_seconds=self.cfg.keepalive,
            response_seconds=self._slow_seconds,
        )
        limits = capacity_limits(self.app.settings)
        self._key_queues = KeyQueues(self._start, limits.requests_max_per_client)
        super().run()

    def accept(self, listener: Any) -> None:
        """Take a new connection."""
        self._connections.accept(listener)

    def enqueue_req(self, conn: ClientConnection) -> None:
        """Give a connection whose head is whole to a thread, when it is its turn. Probes have their own."""
        if (threads := self._probes.get(conn.head.path())) is not None:
            self._submit(threads, conn)
        elif not self._key_queues.add(conn):
            self._connections.refuse(
                conn,
                TOO_MANY_REQUESTS,
                "Too Many Requests",
                "too many requests with these credentials wait already; send fewer at once",
            )

    def _start(self, conn: ClientConnection) -> None:
        self._submit(self.tpool, conn)

    def _submit(self, threads: Any, conn: ClientConnection) -> None:
        threads.submit(self.handle, conn).add_done_callback(
            lambda answered: self.method_queue.defer(self.finish_request, conn, answered)
        )

    def finish_request(self, conn: ClientConnection, fs: Future[Any]) -> None:
        """See to a connection that a thread is done with."""
        self._key_queues.end(conn)
        answered = not fs.cancelled() and fs.exception() is None
        self._connections.go_on(conn, stays=answered and bool(fs.result()))

    def handle(self, conn: ClientConnection) -> Any:
        """Answer one request, in a thread."""
        conn.init()
        if not isinstance(conn.parser.unreader, DeadlineUnreader):
            conn.parser.unreader = DeadlineUnreader(conn.sock, WholeHead())
        conn.parser.unreader.deadline = WholeHead()
        conn.parser.unreader.unread(conn.head.received())
        conn.sock.begin_response()
        # Threads are used again, so this is said for each request.
        on_waiting.set(partial(self.method_queue.defer, self._key_queues.end, conn))
        return super().handle(conn)

    def handle_request(self, req: Any, conn: ClientConnection) -> Any:
        """Answer a request whose head is there."""
        check_head(req)
        conn.parser.unreader.deadline = BodyDeadline(self._slow_seconds)
        conn.sock.settimeout(self._slow_seconds)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.info("A client did not take its answer in time.")
            conn.sock.forget()
            return False

    def _keepalive_after(self, conn: ClientConnection, keepalive: Any) -> bool:
        """Whether another request may come: of a body that was not read, nobody waits for the rest."""
        return bool(keepalive) and bool(conn.parser.finish_body(deadline=time.monotonic() + _DRAIN_SECONDS))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 - gunicorn's own signature
        """Answer a request that could not be read with the envelope of every error (contract §1)."""
        status, reason, why = status_of(exc)
        if status == SERVER_FAULT:
            self.log.error("A request was not answered.", exc_info=exc)
        else:
            self.log.info("A request of %s could not be read: %s.", (addr or ("?",))[0], why)
        try:
            client.sendall(error_bytes(status, reason, why))
        except OSError as error:
            self.log.debug("The client did not wait for its response: %s.", type(error).__name__)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: no new requests, and those that wait are answered before the grace is over."""
        if self.wsgi is not None:
            self._shorten_waits(self.wsgi, self._response_seconds)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Let connections in or leave them to others; at the end, take those that came and stop listening.

        A socket that listens without anybody behind it lets clients wait until the process is gone.
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
        self._connections.hurry(gthread.STOP_KEEPALIVE_LINGER)

    def murder_keepalived(self, force: bool = False) -> None:
        """End connections that have lasted too long, or all that no thread has."""
        if force:
            self._connections.drop_all()
        else:
            self._connections.end_late_ones()
