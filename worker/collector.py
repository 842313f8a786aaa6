"""Garbage collection: how often a worker process looks for what holds on to itself."""

from __future__ import annotations

import gc
from typing import Final

_NEW_OBJECTS: Final = 50_000
"""More than a full message makes at once. All of it goes by itself when its transaction is over, and is not
walked through before: with Python's 700 that was a tenth of what an order cost. What does hold on to itself,
such as an exception and its frames, waits for as many new objects."""


def collect_rarely() -> None:
    """Set this process's collector up; after the modules are loaded, none of which will go."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
