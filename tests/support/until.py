"""Waiting for what another thread or process does: no longer than need be, and not for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def until(holds: Callable[[], bool], what: str = "what was waited for", seconds: float = 30) -> None:
    """Wait until ``holds``; an AssertionError that names ``what`` if it does not in so many ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
