"""Liveness: pings, given while Redis answers, and kept back once it has not for too long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from celery.worker import state
from kombu.transport.virtual import QoS

from tests.support.until import pause
from worker.liveness import Liveness

UNHEARD_MOST_SECONDS = ASTRAY_MOST_SECONDS = 0.05


def taking(*tags: str, prefetch_count: int = 2) -> QoS:
    """Kombu's account of what a worker has taken."""
    qos = QoS(None, prefetch_count)
    # There is no broker to give them back to.
    qos.restore_at_shutdown = False
    for tag in tags:
        qos.append("a message", tag)
    return qos


@dataclass
class Channel:
    """What a worker knows of kombu's channel."""

    qos: QoS = field(default_factory=taking)
    handlers: dict[str, Callable[[], Any]] = field(default_factory=lambda: {"BRPOP": lambda: "a message"})


@dataclass(frozen=True)
class Request:
    """A message in somebody's hand."""

    id: str


@dataclass
class Watched:
    """Pings, and the end of the pipe that they come out of."""

    liveness: Liveness
    reading: int

    def given(self) -> bytes:
        self.liveness.ping()
        with suppress(BlockingIOError):
            return os.read(self.reading, 100)
        return b""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


@pytest.fixture
def watched(pipe: tuple[int, int]) -> Watched:
    reading, writing = pipe
    return Watched(Liveness(writing, 60.0, UNHEARD_MOST_SECONDS), reading)


@pytest.fixture
def watched_for_strays(pipe: tuple[int, int]) -> Watched:
    reading, writing = pipe
    return Watched(Liveness(writing, 60.0, 60.0, astray_most_seconds=ASTRAY_MOST_SECONDS), reading)


def test_a_worker_that_asks_in_vain_does_not_ping_until_it_is_answered(watched: Watched) -> None:
    channel = Channel()
    watched.liveness.listen_in(channel)
    assert watched.given() == b"."

    pause(2 * UNHEARD_MOST_SECONDS, "Redis says nothing")
    assert watched.given() == b""

    assert channel.handlers["BRPOP"]() == "a message"
    assert watched.given() == b"."


def test_a_worker_that_may_take_no_more_does_not_ask_and_pings(watched: Watched) -> None:
    watched.liveness.listen_in(Channel(taking("1", "2")))

    pause(2 * UNHEARD_MOST_SECONDS, "it asks for nothing")

    assert watched.given() == b"."


@pytest.mark.parametrize("tags", [("1",), ("1", "2"), ("1", "2", "3")], ids=len)
def test_a_message_that_nobody_has_in_hand_and_nobody_acknowledged_is_no_sign_of_work(
    watched_for_strays: Watched, tags: tuple[str, ...]
) -> None:
    qos = taking(*tags)
    watched_for_strays.liveness.listen_in(Channel(qos))
    assert watched_for_strays.given() == b"."

    pause(2 * ASTRAY_MOST_SECONDS, "it is counted as taken")
    assert watched_for_strays.given() == b""

    for tag in tags:
        qos.ack(tag)
    assert watched_for_strays.given() == b"."


def test_a_worker_that_has_in_hand_what_it_fetched_pings(
    watched_for_strays: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "reserved_requests", [Request("1"), Request("2")])
    watched_for_strays.liveness.listen_in(Channel(taking("1", "2")))

    pause(2 * ASTRAY_MOST_SECONDS, "it is counted as taken")

    assert watched_for_strays.given() == b"."


def test_a_new_connection_begins_with_nothing_fetched(watched_for_strays: Watched) -> None:
    watched_for_strays.liveness.listen_in(Channel(taking("1")))
    pause(2 * ASTRAY_MOST_SECONDS, "it is counted as taken")

    watched_for_strays.liveness.listen_in(Channel())

    assert watched_for_strays.given() == b"."


@pytest.mark.parametrize("prefetch_count", [0, 1])
def test_without_a_bound_on_what_is_fetched_no_message_is_missed(
    watched_for_strays: Watched, prefetch_count: int
) -> None:
    watched_for_strays.liveness.listen_in(Channel(taking(prefetch_count=prefetch_count)))

    pause(2 * ASTRAY_MOST_SECONDS, "it is counted as taken")

    assert watched_for_strays.given() == b"."


def test_a_watchdog_that_is_gone_or_does_not_read_holds_up_no_worker(watched: Watched) -> None:
    watched.liveness.listen_in(Channel(taking("1", "2")))
    with suppress(BlockingIOError):
        while True:
            os.write(watched.liveness._descriptor, b"." * 65536)  # noqa: SLF001 - to fill the pipe

    watched.liveness.ping()

    assert os.read(watched.reading, 10) == b"." * 10
