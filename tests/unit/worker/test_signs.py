"""Signs of work: given while Redis answers, and kept back once it has not for too long."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from worker.signs import Signs

UNHEARD_MOST_SECONDS = 0.05


@dataclass
class Hands:
    """Says whether another message may be taken, as kombu's QoS does."""

    free: bool = True

    def can_consume(self) -> bool:
        return self.free


@dataclass
class Channel:
    """What a worker knows of kombu's channel."""

    qos: Hands = field(default_factory=Hands)
    handlers: dict[str, Callable[[], Any]] = field(default_factory=lambda: {"BRPOP": lambda: "a message"})


@dataclass
class Watched:
    """Signs, and the end of the pipe that they come out of."""

    signs: Signs
    reading: int

    def given(self) -> bytes:
        self.signs.give()
        with suppress(BlockingIOError):
            return os.read(self.reading, 100)
        return b""


@pytest.fixture
def watched() -> Iterator[Watched]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield Watched(Signs(writing, 60.0, UNHEARD_MOST_SECONDS), reading)
    os.close(reading)
    os.close(writing)


def test_a_worker_that_asks_in_vain_gives_no_sign_until_it_is_answered(watched: Watched) -> None:
    channel = Channel()
    watched.signs.listen_in(channel)
    assert watched.given() == b"."

    time.sleep(2 * UNHEARD_MOST_SECONDS)
    assert watched.given() == b""

    assert channel.handlers["BRPOP"]() == "a message"
    assert watched.given() == b"."


def test_a_worker_with_its_hands_full_does_not_ask_and_gives_signs(watched: Watched) -> None:
    watched.signs.listen_in(Channel(Hands(free=False)))

    time.sleep(2 * UNHEARD_MOST_SECONDS)

    assert watched.given() == b"."


def test_a_watcher_that_is_gone_or_does_not_read_is_nobodys_trouble(watched: Watched) -> None:
    watched.signs.listen_in(Channel(Hands(free=False)))
    with suppress(BlockingIOError):
        while True:
            os.write(watched.signs._descriptor, b"." * 65536)  # noqa: SLF001 - to fill the pipe

    watched.signs.give()

    assert os.read(watched.reading, 10) == b"." * 10
