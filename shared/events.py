"""Slice events over Redis: a worker tells that a slice is closed, and the API wakes those who wait for it.

An event is a hint. The database is the truth, so a lost, late or doubled event only costs a moment: whoever
waits also looks there by itself about once a second.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import redis
import structlog

from shared.domain.backoff import Backoff
from shared.redis_client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.settings import Settings

_CHANNEL: Final = "ordermill:slices-closed"
_TURN_SECONDS: Final = 1.0
# A living connection has answered a ping by then; a half-open one is silent for ever.
_SILENT_SECONDS: Final = 5.0
_BACKOFF: Final = Backoff(first_seconds=0.1, most_seconds=5.0)

_log = structlog.get_logger(__name__)


class JobEvents:
    """The worker's end of the channel. It connects when there is something to tell, so it survives a fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._publisher: redis.Redis | None = None
        self._publisher_pid = 0

    def announce(self, job_id: UUID, slice_number: int) -> None:
        """Tell that a slice is closed; call it after the commit. Never raises for a fault of Redis."""
        self.announce_all([(job_id, slice_number)])

    def announce_all(self, closed: Sequence[tuple[UUID, int]]) -> None:
        """Tell that these slices are closed, by job and number, in one message."""
        if self._publisher is None or self._publisher_pid != os.getpid():
            self._publisher, self._publisher_pid = connect(self._settings), os.getpid()
        try:
            self._publisher.publish(_CHANNEL, "\n".join(f"{job_id} {number}" for job_id, number in closed))
        except redis.RedisError as error:
            # Deliberately no more than a log line: the outcome is committed, and whoever waits for it finds
            # it in the database a second later. Failing the task here would only do the slice's work again.
            told = [f"{job_id} {number}" for job_id, number in closed]
            _log.warning("events_lost", slices=told, fault=type(error).__name__)


class Hearer(Protocol):
    """Whoever is told of a job's slices."""

    def heard(self, slice_number: int) -> None:
        """A slice was closed."""

    def look(self) -> None:
        """Events may have been missed."""


class Waiter:
    """What one request has heard of its job's slices so far."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed: set[int] = set()
        self._look = False

    def wait(self, slice_count: int, limit_seconds: float) -> bool:
        """Wait until ``slice_count`` different slices were heard of, and tell whether they were.

        The wait ends without that after ``limit_seconds``, or as soon as events may have been missed. Each
        reason to wake up counts once: waiting again waits for news.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._look or len(self._closed) >= slice_count, limit_seconds)
            self._look = False
            all_heard = len(self._closed) >= slice_count
            if all_heard:
                self._closed.clear()
            return all_heard

    def heard(self, slice_number: int) -> None:
        """A slice was closed."""
        with self._changed:
            self._closed.add(slice_number)
            self._changed.notify_all()

    def look(self) -> None:
        """Events may have been missed."""
        with self._changed:
            self._look = True
            self._changed.notify_all()


class Listener:
    """The API's end: one subscription for all requests of a process that wait. It starts with the first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._hearers: dict[UUID, list[Hearer]] = {}
        self._thread: threading.Thread | None = None
        self._thread_pid = 0
        self._over = threading.Event()

    def close(self) -> None:
        """End the subscription, within about a second."""
        self._over.set()

    @contextmanager
    def waiting(self, job_id: UUID) -> Iterator[Waiter]:
        """Hear of the job's slices within the block. Enter it before dispatching: no event is missed then."""
        waiter = Waiter()
        self.add(job_id, waiter)
        try:
            yield waiter
        finally:
            self.remove(job_id, waiter)

    def add(self, job_id: UUID, hearer: Hearer) -> None:
        """Tell ``hearer`` of the job's slices from now on; it is called in the subscription's thread."""
        with self._lock:
            self._hearers.setdefault(job_id, []).append(hearer)
            self._start_thread()

    def remove(self, job_id: UUID, hearer: Hearer) -> None:
        """Tell it no more."""
        with self._lock:
            self._hearers[job_id].remove(hearer)
            if not self._hearers[job_id]:
                del self._hearers[job_id]

    def waiting_count(self) -> int:
        """Tell how many are told of slices."""
        return len(self._all_hearers())

    def _start_thread(self) -> None:
        # Only the process that waits needs the thread, and a thread does not survive a fork.
        if self._thread is None or self._thread_pid != os.getpid() or not self._thread.is_alive():
            # A daemon: it holds nothing that would have to be given back at the end of the process.
            self._thread = threading.Thread(target=self._listen, name="job-events", daemon=True)
            self._thread_pid = os.getpid()
            self._thread.start()

    def _listen(self) -> None:
        losses = 0
        while not self._over.is_set():
            started = time.monotonic()
            try:
                self._listen_until_lost()
            except (redis.RedisError, OSError) as error:
                lasted = time.monotonic() - started > _BACKOFF.most_seconds
                losses = 1 if lasted else losses + 1
                pause = _BACKOFF.after(losses)
                _log.warning("events_interrupted", fault=type(error).__name__, again_in_seconds=pause)
                self._over.wait(pause)

    def _listen_until_lost(self) -> None:
        with connect(self._settings) as client, client.pubsub() as subscription:
            subscription.subscribe(_CHANNEL)
            heard_at = time.monotonic()
            while not self._over.is_set():
                message = subscription.get_message(timeout=_TURN_SECONDS)
                if message is not None:
                    heard_at = time.monotonic()
                    self._receive(message)
                elif time.monotonic() - heard_at > _SILENT_SECONDS:
                    raise redis.ConnectionError("no answer to a ping")
                else:
                    subscription.ping()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            # What was announced before now has passed by.
            for hearer in self._all_hearers():
                hearer.look()
        elif message["type"] == "message":
            self._hear(message["data"])

    def _hear(self, events: bytes) -> None:
        for event in events.decode("ascii", "replace").split("\n"):
            job_id, _, slice_number = event.partition(" ")
            try:
                heard_of, number = UUID(job_id), int(slice_number)
            except ValueError:
                _log.warning("event_not_understood", event_chars=len(event))
                continue
            with self._lock:
                hearers = list(self._hearers.get(heard_of, ()))
            for hearer in hearers:
                hearer.heard(number)

    def _all_hearers(self) -> list[Hearer]:
        with self._lock:
            return [hearer for hearers in self._hearers.values() for hearer in hearers]
