"""Signal wake-up: a socket that has something to be read as soon as a signal comes."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signal_wakeup() -> Iterator[socket.socket]:
    """Give a socket at which a byte arrives with every signal that has a handler of Python's.

    Whoever waits for it with others need not look again and again whether a handler has run. Only the main
    thread can ask for it.
    """
    ready, written = socket.socketpair()
    with ready, written:
        ready.setblocking(False)
        written.setblocking(False)
        before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        try:
            yield ready
        finally:
            signal.set_wakeup_fd(before)
