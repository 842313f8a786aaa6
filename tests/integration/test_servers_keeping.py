"""While a server is being revived, what the roles write is read, and SIGTERM is heard."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.processes.child import ChildPlan
from cli.processes.supervisor import Supervisor
from cli.servers import ServersError
from cli.servers.keeping import kept_alive
from cli.system.stop_signals import StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT_SECONDS = 30
# Far more than a pipe holds: it stands still until somebody reads.
_TALKS = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1] + ".begin").exists(): time.sleep(0.01)
for number in range(5_000): print(f"{number} {'x' * 100}", flush=True)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""


class SlowServers:
    """Something has died, and its revival lasts until ``over`` says otherwise, or it is given up."""

    def __init__(self, over: Callable[[], bool] = lambda: False) -> None:
        self._over = over
        self._given_up = threading.Event()
        self.reviving = threading.Event()
        self.took_too_long = False

    def revive(self) -> list[str]:
        self.reviving.set()
        for _ in range(_LIMIT_SECONDS * 50):
            if self._over():
                return ["PostgreSQL"]
            if self._given_up.wait(0.02):
                raise ServersError("PostgreSQL was told to stop before it was ready.")
        self.took_too_long = True
        raise ServersError("PostgreSQL was not ready.")

    def give_up(self) -> None:
        self._given_up.set()


def supervise(servers: SlowServers, program: str, word: str, is_over: Callable[[], bool]) -> int:
    """Run one child beside ``servers`` until ``is_over``, then SIGTERM; gives the exit code."""
    child = ChildPlan(
        name="api",
        command=[sys.executable, "-c", program, word],
        environment={"PATH": os.environ["PATH"]},
        grace_seconds=10,
    )

    with StopRequest() as stop, kept_alive(servers) as look:
        stop.only_note()

        def each_time() -> None:
            look()
            if is_over():
                os.kill(os.getpid(), signal.SIGTERM)

        return Supervisor([[child]], lambda *_: None, stop).run(each_time, lambda: None)


def test_what_a_role_writes_is_read_while_a_server_is_revived(tmp_path: Path) -> None:
    said_all = tmp_path / "said-all"
    begin = tmp_path / "said-all.begin"

    def over() -> bool:
        begin.touch()
        return said_all.exists()

    servers = SlowServers(over)

    code = supervise(servers, _TALKS, str(said_all), said_all.exists)

    assert code == 0
    assert servers.reviving.is_set()
    assert not servers.took_too_long


def test_a_wish_to_stop_is_heard_while_a_server_is_revived() -> None:
    servers = SlowServers()

    code = supervise(servers, "import time; time.sleep(600)", "", servers.reviving.is_set)

    assert code == 0
    assert not servers.took_too_long


def test_servers_that_cannot_be_revived_end_everything() -> None:
    class Broken(SlowServers):
        def revive(self) -> list[str]:
            raise ServersError("PostgreSQL did not start: the disk is full")

    with pytest.raises(ServersError, match="the disk is full"):
        supervise(Broken(), "import time; time.sleep(600)", "", lambda: False)
