"""The README's first command, as a person would run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT_SECONDS = 120


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The system's temporary place as the demonstration sees it, empty before and afterwards."""
    # Not below pytest's own directory: as root, PostgreSQL's user could not enter it.
    place = Path(tempfile.mkdtemp(prefix="om-demo-"))
    place.chmod(0o755)
    yield place
    place.rmdir()


class Demo:
    """A demonstration that has come as far as posting its batch, and every process that it has started."""

    def __init__(self, temporary: Path, orders: int) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", "demo", "--orders", str(orders)],
            env={**environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.shown = ""
        for line in self.process.stdout:
            self.shown += line
            if f"POST /v1/orders with {orders:,}" in line:
                break
        self.started = psutil.Process(self.process.pid).children(recursive=True)

    def finish(self) -> int:
        rest, _ = self.process.communicate(timeout=_LIMIT_SECONDS)
        self.shown += rest
        return self.process.returncode

    def left(self) -> list[psutil.Process]:
        return [process for process in self.started if process.is_running()]


def test_demo_shows_right_outcomes_and_leaves_nothing(temporary: Path) -> None:
    demo = Demo(temporary, 1_000)

    assert demo.finish() == 0, demo.shown
    assert '"...": "..."' in demo.shown
    assert '"code": -3' in demo.shown
    assert re.search(r"ok +\d+ +created", demo.shown)
    assert re.search(r"all +1,000", demo.shown)
    assert "raced for the last 3" in demo.shown
    assert len(demo.started) > 6
    assert demo.left() == []


def test_demo_that_is_interrupted_stops_everything(temporary: Path) -> None:
    demo = Demo(temporary, 10_000)

    demo.process.send_signal(signal.SIGINT)

    assert demo.finish() == 2
    assert "Stopped before the end; nothing is left running." in demo.shown
    assert demo.left() == []
