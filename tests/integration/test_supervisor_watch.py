from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass, field, replace

from cli.processes.child import BACKOFF, ChildPlan
from cli.processes.supervisor import Supervisor
from cli.processes.watchdog import Watchdog
from cli.system.stop_signals import StopRequest

PINGS_ONCE = """
import os, sys, time
os.write(int(sys.argv[sys.argv.index("--liveness-fd") + 1]), b".")
print("up", flush=True)
time.sleep(600)
"""
PINGS = PINGS_ONCE.replace("time.sleep(600)", "while not time.sleep(0.05): os.write(int(sys.argv[-1]), b'.')")


@dataclass
class Observer:
    """Excuses silence or not, counts what it is told, and ends the run when it has seen enough."""

    excuses: bool = False
    asked: int = 0
    told: int = 0
    lines: list[str] = field(default_factory=list)

    def excused(self) -> bool:
        self.asked += 1
        return self.excuses

    def dies_often(self) -> None:
        self.told += 1

    def run(self, program: str, *, ups: int, seconds: float = 30) -> int:
        """Run it until it has said so many lines, or for so long."""
        plan = ChildPlan(
            name="worker",
            command=[sys.executable, "-c", program],
            environment={"PATH": os.environ["PATH"]},
            grace_seconds=0.2,
            backoff=replace(BACKOFF, first_seconds=0.05),
            watchdog=Watchdog(timeout_seconds=0.4, excused=self.excused, dies_often=self.dies_often),
        )
        end = time.monotonic() + seconds

        def each_time() -> None:
            if len(self.lines) >= ups or time.monotonic() > end:
                os.kill(os.getpid(), signal.SIGTERM)

        with StopRequest() as stop:
            stop.only_note()
            return Supervisor([[plan]], lambda _, line: self.lines.append(line), stop).run(
                each_time, lambda: None
            )


def test_a_child_whose_pings_stop_is_replaced() -> None:
    observer = Observer()

    assert observer.run(PINGS_ONCE, ups=2) == 0

    assert observer.lines == ["up", "up"]
    assert observer.asked >= 1


def test_a_child_whose_pings_stop_is_left_alone_while_there_is_an_excuse() -> None:
    observer = Observer(excuses=True)

    assert observer.run(PINGS_ONCE, ups=2, seconds=2) == 0

    assert observer.lines == ["up"]
    assert observer.asked > 1


def test_a_child_that_pings_is_left_alone() -> None:
    observer = Observer()

    assert observer.run(PINGS, ups=2, seconds=2) == 0

    assert observer.lines == ["up"]
    assert observer.asked == 0


def test_from_the_third_quick_death_on_the_queues_are_quarantined() -> None:
    observer = Observer()

    assert observer.run("raise SystemExit(1)", ups=9) == 1

    assert observer.told == 3
