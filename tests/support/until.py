"""Waiting for what another thread or process does: no longer than need be, and not for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Found = TypeVar("_Found")
_LOOK_SECONDS = 0.01


def until(
    holds: Callable[[], _Found],
    what: str = "what was waited for",
    seconds: float = 30,
    look_seconds: float = _LOOK_SECONDS,
) -> _Found:
    """Wait until ``holds``, and give what it gave; it is asked again after so many ``look_seconds``.

    Raises AssertionError that names ``what`` if it does not within so many ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(look_seconds)
    return found


def pause(seconds: float, why: str) -> None:
    """Let time pass that nothing shortens: a fault that lasts, a pace, what must not happen meanwhile."""
    assert why
    time.sleep(seconds)
