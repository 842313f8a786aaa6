"""The client commands on a terminal, where what clients wrote must be read and not obeyed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.small_server import JOB_ID, KEY, SmallServer, api_error

if TYPE_CHECKING:
    from pathlib import Path

STEERING = "\u009b31mRED\u009b2J\u202e\u200b\x1b]0;x\x07"
ORDER = {"products": [{"sku": "BRASS-LAMP", "qty": 1}]}
BATCH = {STEERING: ORDER, "Åsa": {**ORDER, "code": -2}}


@pytest.fixture
def batch(tmp_path: Path) -> str:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(BATCH), encoding="utf-8")
    return str(path)


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


def test_outcomes_on_a_terminal_are_json_that_steers_nothing(server: SmallServer, batch: str) -> None:
    written = on_a_terminal(server, "submit", batch)

    assert obeyed(written) == []
    assert "\x1b]" not in written
    # Behind what takes the bar away again.
    line = next(line for line in written.splitlines() if '"status"' in line)
    assert list(json.loads(line[line.index("{") :])) == list(BATCH)


@pytest.mark.parametrize(
    "options", [(), ("--failed",), ("--failed", "--json"), ("--format", "json"), ("--orders",)]
)
def test_results_on_a_terminal_steer_nothing(server: SmallServer, options: tuple[str, ...]) -> None:
    no = {"status": "no", "code": -7, "msg": STEERING, "errors": []}
    server.outcomes = {STEERING: no}

    written = on_a_terminal(server, "results", JOB_ID, *options)

    assert obeyed(written) == []
    assert "\x1b]" not in written
    assert "RED" in written


def test_api_error_on_a_terminal_steers_nothing(server: SmallServer, batch: str) -> None:
    server.canned = [api_error(400, f"the key {STEERING!s} stands twice")]

    written = on_a_terminal(server, "submit", batch)

    assert obeyed(written) == []
    assert "\\x9b31mRED" in written
    assert "\x1b]" not in written
