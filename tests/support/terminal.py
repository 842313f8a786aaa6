"""The client commands on a terminal: what they write to it, and what it would obey of that."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress

from tests.support.small_server import KEY, SmallServer


def on_a_terminal(server: SmallServer, *args: str) -> str:
    """What a command writes to a terminal, on both of its outputs."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "ORDERMILL_URL": server.url, "ORDERMILL_API_KEY": KEY, "NO_COLOR": "1"}
    with subprocess.Popen([sys.executable, "-m", "cli", *args], stdout=theirs, stderr=theirs, env=environ):
        os.close(theirs)
        written = b""
        # Linux says EIO when the last one has closed the other side.
        with suppress(OSError):
            while piece := os.read(ours, 65_536):
                written += piece
    os.close(ours)
    return written.decode()


def obeyed(written: str) -> list[str]:
    """What a terminal would obey in it, or not show, besides our own tables and bars."""
    return [char for char in written if not char.isprintable() and char not in "\r\n\x1b"]
