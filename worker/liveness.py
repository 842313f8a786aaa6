"""Liveness: a byte a second through a pipe to the watchdog, while this process takes messages.

They come from the loop that takes them. Redis hears of it as well, for the API and for health checks; but a
watcher that asked Redis could not tell a worker that hangs from a Redis that is away.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

import structlog
from celery.worker import state

PING_SECONDS = 1.0
"""How often a ping is written."""

UNHEARD_MOST_SECONDS = 5.0
"""How long Redis may leave a question for messages open; it answers after a second, be it with nothing."""

ASTRAY_MOST_SECONDS = 10.0
"""How long a message may be counted as taken that nobody has in hand; usually it is a moment."""

log = structlog.get_logger()


class Liveness:
    """Pings through ``descriptor``, unless something has happened that Celery does not notice.

    A message is held for more than ``held_most_seconds``: a child process that somebody stopped has it, and
    never begins, so that the task's time limit does not count. Or a question for messages stays without an
    answer: the connection leads nowhere, and Celery would wait for ever. Or a message is done, but Redis
    could not be told so: it counts as taken for ever, and with its hands full of such a worker asks no more.
    """

    def __init__(
        self,
        descriptor: int,
        held_most_seconds: float,
        unheard_most_seconds: float = UNHEARD_MOST_SECONDS,
        astray_most_seconds: float = ASTRAY_MOST_SECONDS,
    ) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._held_most_seconds = held_most_seconds
        self._unheard_most_seconds = unheard_most_seconds
        self._astray_most_seconds = astray_most_seconds
        self._held: dict[Any, float] = {}
        self._channel: Any = None
        self._heard_at = self._in_hand_at = 0.0

    def listen_in(self, channel: Any) -> None:
        """Hear when Redis answers a question for messages; ``channel`` is kombu's, of a new connection."""
        self._channel = channel
        self._heard_at = self._in_hand_at = time.monotonic()
        read_answer = channel.handlers["BRPOP"]

        def hear() -> Any:
            self._heard_at = time.monotonic()
            return read_answer()

        channel.handlers["BRPOP"] = hear

    def ping(self) -> None:
        """Write a byte, if there is a reason to."""
        now = time.monotonic()
        if self._held_seconds(now) > self._held_most_seconds:
            log.error("message_held_too_long", most_seconds=self._held_most_seconds)
        elif self._unheard_seconds(now) > self._unheard_most_seconds:
            log.error("no_answer_from_the_broker", most_seconds=self._unheard_most_seconds)
        elif self._astray_seconds(now) > self._astray_most_seconds:
            log.error("message_not_acknowledged", most_seconds=self._astray_most_seconds)
        else:
            # A watcher that does not read has heard enough.
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(self._descriptor, b".")

    def _held_seconds(self, now: float) -> float:
        self._held = {one.id: self._held.get(one.id, now) for one in tuple(state.reserved_requests)}
        return max((now - since for since in self._held.values()), default=0.0)

    def _unheard_seconds(self, now: float) -> float:
        if self._channel is not None and not self._channel.qos.can_consume():
            # With its hands full it does not ask.
            self._heard_at = now
        return now - self._heard_at

    def _astray_seconds(self, now: float) -> float:
        if self._channel is None or _fetched(self._channel.qos) <= len(state.reserved_requests):
            self._in_hand_at = now
        return now - self._in_hand_at


def _fetched(qos: Any) -> int:
    """How many messages count as taken, as far as there is a bound to them."""
    room = qos.can_consume_max_estimate()
    return 0 if room is None else qos.prefetch_count - room
