"""Another ordermill on the same data directory: a process that holds its servers until told to leave."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

# The pieces that a test may put before it: what makes this one different.
_HOLD = """
import sys
from pathlib import Path
from cli.servers import ServersError, run_servers, open_servers
from shared.logs import configure_logging
from shared.settings import Settings

configure_logging(Settings(), "test")
way, data_dir = sys.argv[1], Path(sys.argv[2])
{before}
try:
    if way == "own":
        opened = run_servers(Settings(), data_dir, durable=False, wait_seconds=0.3)
    else:
        opened = open_servers(Settings(), data_dir, own=False, durable=False)
    with opened as held:
        urls = held.urls if way == "own" else held
        print(urls.migrate_database_url, urls.redis_url, flush=True)
        sys.stdin.read()
except ServersError as error:
    print("refused:", error, flush=True)
"""


class Holder:
    """The process; ``said`` is its first line: the two URLs, or why it was refused."""

    def __init__(self, data_dir: Path, *, own: bool, before: str = "") -> None:
        program = _HOLD.format(before=before)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", program, "own" if own else "share", str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell_to_leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def leave(self) -> None:
        self.tell_to_leave()
        assert self.process.wait(30) == 0


def servers_of(data_dir: Path) -> list[psutil.Process]:
    """The server processes that run in ``data_dir`` now."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        place = process.info["cwd"]
        # One that has been seen may be gone before it is asked.
        with suppress(psutil.NoSuchProcess):
            if place and Path(place).is_relative_to(data_dir) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
