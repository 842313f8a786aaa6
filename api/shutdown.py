"""Shutdown: once the process was told to stop, no request waits longer than it has left."""

from __future__ import annotations

import math
import time


class Shutdown:
    """Bounds every wait that goes on, or begins, after it was announced."""

    def __init__(self) -> None:
        self._until = math.inf

    def announce(self, seconds: float) -> None:
        """Let no wait go on for longer than this. For a signal's handler: it takes no lock."""
        self._until = time.monotonic() + seconds

    def bounded(self, deadline: float) -> float:
        """The deadline of a wait, as it is now."""
        return min(deadline, self._until)
