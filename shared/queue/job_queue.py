"""The job queue: slice ids and order numbers over Redis, as hints of what the database holds."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.exceptions import LimitExceeded, OperationalError
from redis import Redis, RedisError

from shared.breaker import Breaker
from shared.domain.slicing import LARGE_QUEUE, handfuls
from shared.queue.lanes import MAIL_QUEUE, QUEUES, WeightedOrder
from shared.settings import Settings

SETTLE_SLICE = "ordermill.settle_slice"
"""The task's name; its one argument is a slice's id or a list of them, never anything of a client's."""

SEND_CONFIRMATION = "ordermill.send_confirmation"
"""Its one argument is an order's number."""

MAILER = "mailer"
"""What comes before the "@" in the name of a mailer."""

KEY_PREFIX = "ordermill:"
"""Every Redis key of ours starts with it, so that healing can delete exactly those."""

HEARTBEAT_SECONDS = 5.0
"""How often a worker that takes messages says so; it counts as gone after three times that."""

_CANARY = f"{KEY_PREFIX}canary"
_CANARY_SECONDS = 24 * 3600
_QUEUE_KEYS = (*(f"{name}*" for name in QUEUES), "unacked", "unacked_index")
_ASIDE = f"{KEY_PREFIX}set-aside:"
_ASIDE_SECONDS = 7 * 24 * 3600
_HEARTBEATS = f"{KEY_PREFIX}worker:"


_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}


class QueueAwayError(Exception):
    """The broker cannot be reached; what was to be dispatched waits in the database."""


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Celery's configuration, each line with its reason."""
    limit = settings.redis_limit_seconds
    return {
        "broker_url": _broker_url(settings.redis_url),
        # Outcomes live in the database.
        "result_backend": None,
        "task_ignore_result": True,
        # No pickle: a message must not be able to run anything.
        "task_serializer": "json",
        "accept_content": ["json"],
        # A misspelt queue must fail instead of feeding one that nobody reads.
        "task_create_missing_queues": False,
        "task_queues": {name: {"exchange": name, "routing_key": name} for name in QUEUES},
        "task_default_queue": LARGE_QUEUE,
        # A crash before the commit brings the message back.
        "task_acks_late": True,
        # Else a child that is killed counts as having done its task.
        "task_reject_on_worker_lost": True,
        # The last resort; a soft limit would raise inside COMMIT. Usually the statement limit comes first.
        "task_time_limit": settings.task_limit_seconds,
        # One message per process: fair between batches, and less to bring back.
        "worker_prefetch_multiplier": 1,
        # A transaction is short and may be run twice: stopping it mid-commit only makes it ambiguous.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": settings.worker_grace_seconds,
        # The order in which containers start must not matter.
        "broker_connection_retry_on_startup": True,
        # The default gives up after 100 tries.
        "broker_connection_max_retries": None,
        # LOADING after a restart is a channel error.
        "broker_channel_error_retry": True,
        "task_publish_retry": False,
        "broker_transport_options": {
            # Above the task's limit; short is safe because a slice may be delivered twice.
            "visibility_timeout": 2 * settings.task_limit_seconds,
            # Who waits first, and a share for who does not.
            "queue_order_strategy": WeightedOrder,
            # Without it a half-open connection is waited on for ever.
            "socket_timeout": limit,
            "socket_connect_timeout": limit,
            "socket_keepalive": True,
            # The kernel's own are hours; with these a peer that has vanished is noticed in half a minute.
            "socket_keepalive_options": _KEEPALIVE,
            # Bounds how long a dead connection goes unnoticed.
            "health_check_interval": 10,
            "global_keyprefix": KEY_PREFIX,
            # A publisher in a request gives up at once: the sweeper dispatches what it could not.
            "max_retries": 1,
        },
        # Less to break: life is told by heartbeats of the consumer's own loop and by the database.
        "worker_send_task_events": False,
        "worker_enable_remote_control": False,
        # A bound on leaks, high enough not to churn.
        "worker_max_tasks_per_child": 20_000,
        "worker_max_memory_per_child": 400_000,
        # Our own logging set-up stands.
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def _broker_url(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: a Unix socket is ``redis+socket://`` there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def _dispatch_options(settings: Settings) -> dict[str, Any]:
    # A new connection asks up to three times for an answer, and together they must keep to the limit.
    limit = settings.redis_limit_seconds / 3
    # A ping before the message would be one more; whether it was taken tells as much.
    return {"socket_timeout": limit, "socket_connect_timeout": limit, "health_check_interval": 0}


class JobQueue:
    """Dispatches slices and mails. Made once per process, after any fork.

    With a ``breaker`` nobody waits for a broker that has just failed; what is not dispatched is not lost.
    """

    def __init__(self, settings: Settings, breaker: Breaker | None = None) -> None:
        self._breaker = breaker
        self._limit_seconds = settings.redis_limit_seconds
        self._app = Celery("ordermill-dispatch", set_as_current=False)
        self._app.conf.update(celery_settings(settings))
        self._app.conf.broker_transport_options |= _dispatch_options(settings)
        limit = settings.redis_limit_seconds
        self._redis: Redis = Redis.from_url(
            settings.redis_url, socket_timeout=limit, socket_connect_timeout=limit, decode_responses=True
        )

    def dispatch(self, slice_ids: Sequence[int], queue: str, loads: Sequence[int] | None = None) -> None:
        """Send a message per handful of slices. Raises QueueAwayError; some may have been sent by then.

        ``loads`` are theirs (``SlicePlan``); without them each is taken to be as full as orders make it.
        """
        self._send(SETTLE_SLICE, handfuls(slice_ids, queue, loads), queue)

    def dispatch_mails(self, order_numbers: Sequence[int]) -> None:
        """Send one message per confirmation. Raises QueueAwayError; some may have been sent by then."""
        self._send(SEND_CONFIRMATION, order_numbers, MAIL_QUEUE)

    def _send(self, task: str, arguments: Sequence[int | list[int]], queue: str) -> None:
        if not arguments:
            return
        breaker = self._breaker
        if breaker is not None and not breaker.lets_try():
            raise QueueAwayError("the broker has just failed")
        failures = breaker.failures if breaker else 0
        try:
            # A few have a connection at a time, and who waits for one of theirs need not wait again.
            with self._app.producer_pool.acquire(block=True, timeout=self._limit_seconds) as producer:
                if breaker is not None and breaker.failures > failures:
                    raise QueueAwayError("the broker has just failed")
                for one in arguments:
                    self._app.send_task(task, (one,), queue=queue, producer=producer)
        except (OperationalError, RedisError, OSError, LimitExceeded) as error:
            if breaker is not None:
                breaker.broke(type(error).__name__)
            raise QueueAwayError("the broker cannot be reached") from error
        if breaker is not None:
            breaker.mended()

    def waiting(self, queue: str) -> int:
        """How many messages lie in a queue. Raises QueueAwayError."""
        return int(self._ask("llen", f"{KEY_PREFIX}{queue}"))

    def any_waits(self, queues: Sequence[str]) -> bool:
        """Whether a message lies in one of these queues. Raises QueueAwayError."""
        return bool(self._ask("exists", *(f"{KEY_PREFIX}{name}" for name in queues)))

    def ping(self) -> None:
        """Ask the broker for a sign of life. Raises QueueAwayError."""
        self._ask("ping")

    def workers(self) -> list[str]:
        """The names of the workers that take slices now. Raises QueueAwayError."""
        return [name for name in self._beating() if not name.startswith(f"{MAILER}@")]

    def mailers(self) -> list[str]:
        """The names of the mailers that take messages now. Raises QueueAwayError."""
        return [name for name in self._beating() if name.startswith(f"{MAILER}@")]

    def _beating(self) -> list[str]:
        try:
            return sorted(key.removeprefix(_HEARTBEATS) for key in self._redis.scan_iter(f"{_HEARTBEATS}*"))
        except RedisError as error:
            raise QueueAwayError("the broker cannot be reached") from error

    def beat(self, worker: str) -> None:
        """Say that a worker takes messages. Raises QueueAwayError."""
        self._ask("set", f"{_HEARTBEATS}{worker}", "1", ex=int(3 * HEARTBEAT_SECONDS))

    def end_heartbeat(self, worker: str) -> None:
        """Say that a worker takes no more messages. Raises QueueAwayError."""
        self._ask("delete", f"{_HEARTBEATS}{worker}")

    def has_canary(self) -> bool:
        """Whether the broker is the one that was dispatched to: it loses this key when it loses messages."""
        return bool(self._ask("expire", _CANARY, _CANARY_SECONDS))

    def leave_canary(self) -> None:
        """Mark the broker as dispatched to. Raises QueueAwayError."""
        self._ask("set", _CANARY, "1", ex=_CANARY_SECONDS)

    def quarantine(self) -> list[str]:
        """Quarantine all messages, and have the scheduler dispatch anew what they stood for.

        Gives the keys that they are under now, for a week. Raises QueueAwayError.
        """
        try:
            # By pattern: each priority of a queue has a key of its own.
            found = [key for name in _QUEUE_KEYS for key in self._redis.scan_iter(f"{KEY_PREFIX}{name}")]
            aside = {key: f"{_ASIDE}{time.time_ns()}:{key.removeprefix(KEY_PREFIX)}" for key in sorted(found)}
            with self._redis.pipeline() as together:
                for key, kept in aside.items():
                    together.rename(key, kept)
                    together.expire(kept, _ASIDE_SECONDS)
                # The scheduler takes a broker without it for a new one.
                together.delete(_CANARY)
                # A queue that has been emptied meanwhile has no key to be renamed.
                done = together.execute(raise_on_error=False)
        except RedisError as error:
            raise QueueAwayError("the broker cannot be reached") from error
        return [kept for kept, renamed in zip(aside.values(), done[::2], strict=False) if renamed is True]

    def seconds_since_sweep(self) -> float | None:
        """How long ago the scheduler last looked: each sweep renews the canary's life. None: never.

        Raises QueueAwayError.
        """
        left = int(self._ask("ttl", _CANARY))
        return float(_CANARY_SECONDS - left) if left >= 0 else None

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
        self._redis.close()

    def _ask(self, command: str, *args: Any, **options: Any) -> Any:
        try:
            return getattr(self._redis, command)(*args, **options)
        except RedisError as error:
            raise QueueAwayError("the broker cannot be reached") from error
