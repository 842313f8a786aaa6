"""Signals wake whoever waits at a socket, and leave the process's own way of waking as it was."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest

from shared.signal_wakeup import signal_wakeup


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The signals that a handler has heard."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_ends_a_wait_at_once(heard: list[int]) -> None:
    with signal_wakeup() as ready:
        nothing, _, _ = select.select([ready], [], [], 0)
        os.kill(os.getpid(), signal.SIGUSR1)
        woken, _, _ = select.select([ready], [], [], 30)

    assert (nothing, woken) == ([], [ready])
    assert heard == [signal.SIGUSR1]


def test_whoever_was_woken_by_signals_before_is_so_again() -> None:
    with signal_wakeup() as outer:
        with signal_wakeup():
            pass
        before = signal.signal(signal.SIGUSR1, lambda *_: None)
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, before)

        assert select.select([outer], [], [], 30)[0] == [outer]
