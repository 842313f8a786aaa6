from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from cli.processes.child import BACKOFF, ChildPlan
from cli.processes.supervisor import Supervisor
from cli.system.stop_signals import StopRequest
from tests.support.until import until

# Stays until SIGTERM, and says so; a second argument is how long it then takes.
STAYS = """
import signal, sys, time
def leave(*_):
    time.sleep(float(sys.argv[1]) if sys.argv[1:] else 0)
    print("left", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
while True: time.sleep(0.05)
"""
# The same, but it says so only once a file is there, or once it has put one there.
WAITS_FOR = STAYS.replace(
    "time.sleep(float(sys.argv[1]) if sys.argv[1:] else 0)", "await_file(sys.argv[1])"
).replace(
    "def leave",
    "import os\ndef await_file(path):\n    while not os.path.exists(path): time.sleep(0.01)\ndef leave",
)
PUTS = STAYS.replace(
    "time.sleep(float(sys.argv[1]) if sys.argv[1:] else 0)", "open(sys.argv[1], 'w').close()"
)
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("up", child.pid, flush=True)
time.sleep(600)
"""
SUPERVISES = """
import sys
from cli.system.stop_signals import StopRequest
from cli.processes.child import ChildPlan
from cli.processes.supervisor import Supervisor
tells = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
child = ChildPlan(name="w", command=[sys.executable, "-c", tells], environment={}, grace_seconds=1)
with StopRequest() as stop:
    supervisor = Supervisor([[child]], lambda _, line: print(line, flush=True), stop)
    supervisor.run(lambda: None, lambda: None)
"""


def plan(name: str, program: str, *words: str, grace: float = 10, back_off: float = 0.05) -> ChildPlan:
    return ChildPlan(
        name=name,
        command=[sys.executable, "-c", program, *words],
        environment={"PATH": os.environ["PATH"]},
        grace_seconds=grace,
        backoff=replace(BACKOFF, first_seconds=back_off),
    )


@dataclass
class Supervised:
    """Runs a supervisor in this process, asks it to stop when the lines are those that were waited for."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def run(self, groups: list[list[ChildPlan]], until: Callable[[], bool], then: signal.Signals) -> int:
        deadline = time.monotonic() + 30

        def each_time() -> None:
            assert time.monotonic() < deadline, self.lines
            if until():
                os.kill(os.getpid(), then)

        with StopRequest() as stop:
            stop.only_note()
            supervisor = Supervisor(groups, lambda name, line: self.lines.append((name, line)), stop)
            return supervisor.run(each_time, lambda: self.closed.append("api"))


def own_children() -> list[psutil.Process]:
    """Our living children; in another module's company the servers of the test run are among them."""
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def is_gone(pid: int) -> bool:
    """Whether a process that was sent SIGKILL has ended; the kernel may take a moment, its reaper longer."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def before() -> list[psutil.Process]:
    return own_children()


def test_children_are_stopped_group_by_group_and_that_is_exit_code_0(
    before: list[psutil.Process], tmp_path: Path
) -> None:
    supervised = Supervised()
    mark = str(tmp_path / "mark")
    groups = [
        [plan("api", STAYS, "0.3")],
        [plan("scheduler", STAYS)],
        # Asked one after the other, the first would wait for ever, and be killed.
        [plan("worker", WAITS_FOR, mark), plan("other", PUTS, mark)],
    ]

    code = supervised.run(groups, lambda: len(supervised.lines) == 4, signal.SIGTERM)

    assert code == 0
    assert supervised.closed == ["api"]
    left = [name for name, line in supervised.lines if line == "left"]
    assert left[:2] == ["api", "scheduler"]
    assert sorted(left[2:]) == ["other", "worker"]
    assert own_children() == before


def test_ctrl_c_stops_in_the_same_order_and_a_second_one_is_harmless() -> None:
    supervised = Supervised()
    impatient = STAYS.replace(
        '    print("left"', '    import os; os.kill(os.getppid(), signal.SIGINT)\n    print("left"'
    )

    code = supervised.run(
        [[plan("api", impatient, "0.2")], [plan("worker", STAYS, "0.5")]],
        lambda: len(supervised.lines) == 2,
        signal.SIGINT,
    )

    assert code == 0
    assert [name for name, line in supervised.lines if line == "left"] == ["api", "worker"], supervised.lines


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "was-here"
    dies_once = (
        "import sys, pathlib, time\n"
        "mark = pathlib.Path(sys.argv[1])\n"
        "if not mark.exists():\n    mark.touch(); print('first'); sys.exit(3)\n"
        "print('second', flush=True)\n"
        "time.sleep(600)\n"
    )
    supervised = Supervised()

    code = supervised.run(
        [[plan("worker", dies_once, str(mark))], [plan("api", STAYS)]],
        lambda: ("worker", "second") in supervised.lines,
        signal.SIGTERM,
    )

    assert code == 0
    assert [line for name, line in supervised.lines if name == "worker"] == ["first", "second"]


def test_a_child_that_keeps_dying_ends_everything_with_exit_code_1(
    capfd: pytest.CaptureFixture[str], before: list[psutil.Process]
) -> None:
    supervised = Supervised()

    code = supervised.run(
        [[plan("api", STAYS)], [plan("worker", "print('no such catalog'); raise SystemExit(7)")]],
        lambda: False,
        signal.SIGTERM,
    )

    assert code == 1
    assert [line for name, line in supervised.lines if name == "worker"] == ["no such catalog"] * 5
    assert ("api", "left") in supervised.lines
    told = "".join(capfd.readouterr())
    assert "child_keeps_dying" in told
    assert "no such catalog" in told
    assert own_children() == before


def test_what_does_not_leave_in_its_grace_is_killed_with_its_own_children() -> None:
    supervised = Supervised()
    begun = time.monotonic()

    supervised.run(
        [[plan("worker", STUBBORN, grace=0.4)]], lambda: len(supervised.lines) == 1, signal.SIGTERM
    )

    grandchild = int(supervised.lines[0][1].split()[1])
    assert time.monotonic() - begun < 10
    until(partial(is_gone, grandchild), "the child of its child has ended")


def test_no_child_is_left_when_looking_after_them_fails(before: list[psutil.Process]) -> None:
    supervised = Supervised()

    def fails() -> bool:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        supervised.run([[plan("api", STAYS)]], fails, signal.SIGTERM)
    assert own_children() == before


def test_a_child_that_closes_its_output_keeps_nobody_busy() -> None:
    supervised = Supervised()
    silent = "import os, time\nprint('up', flush=True)\nos.close(1); os.close(2)\ntime.sleep(600)"
    begun, used = time.monotonic(), time.process_time()

    supervised.run(
        [[plan("worker", silent, grace=0.1)]], lambda: time.monotonic() - begun > 1.5, signal.SIGTERM
    )

    assert time.process_time() - used < 0.5


def test_a_killed_supervisor_takes_its_children_with_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", SUPERVISES], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()

    until(partial(is_gone, child), "the child has ended")
