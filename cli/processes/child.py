"""One child of the supervisor: a process in a session of its own, its output, and its record of deaths."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cli.processes.watchdog import FIRST_PING_SECONDS, Watchdog
from cli.system.parent_death_signal import parent_death_signal
from shared.domain.backoff import Backoff

_LAST_LINES = 10
_LINE_MAX_BYTES = 64 * 1024
QUICK_DEATHS_MAX = 5
QUICK_DEATHS_SECONDS = 60.0
BACKOFF = Backoff(first_seconds=1.0, most_seconds=30.0)
"""How long it stays down after its first death, its second and so on."""


@dataclass(frozen=True, kw_only=True)
class ChildPlan:
    """What to run, and how long it may take to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    grace_seconds: float
    kept_files: Sequence[int] = ()
    watchdog: Watchdog | None = None
    backoff: Backoff = BACKOFF


@dataclass
class SupervisedChild:
    """The process of a plan, now and after each restart."""

    plan: ChildPlan
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    restart_at: float | None = None
    quick_deaths: int = 0
    _deaths: deque[float] = field(default_factory=lambda: deque(maxlen=QUICK_DEATHS_MAX))
    _process: subprocess.Popen[bytes] | None = None
    _unfinished: bytes = b""
    _has_more: bool = False
    _pings: int | None = None
    _next_ping_by: float = 0.0

    def start(self) -> None:
        """Run it."""
        self.restart_at = None
        command, files = list(self.plan.command), list(self.plan.kept_files)
        if self.plan.watchdog is not None:
            self._pings, given = os.pipe()
            os.set_blocking(self._pings, False)
            command += ["--liveness-fd", str(given)]
            files.append(given)
            self._next_ping_by = time.monotonic() + max(
                FIRST_PING_SECONDS, self.plan.watchdog.timeout_seconds
            )
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            env=self.plan.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=files,
            # A terminal's Ctrl-C is for the supervisor, which stops its children in order.
            start_new_session=True,
            # When we are killed, nobody is left to wait for an orderly end.
            preexec_fn=parent_death_signal(signal.SIGKILL),  # noqa: PLW1509 - it calls prctl and nothing else
        )
        if self.plan.watchdog is not None:
            os.close(given)
        os.set_blocking(self.output, False)
        self._has_more = True

    @property
    def output(self) -> int:
        """The file descriptor of its output; only while it runs."""
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - for the type checker: it has been started, with a pipe
        return self._process.stdout.fileno()

    @property
    def may_write(self) -> bool:
        """Whether waiting for its output makes sense."""
        return self.running and self._has_more

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether there is a living process."""
        return self._process is not None and self._process.poll() is None

    def read_lines(self) -> list[str]:
        """The lines that it has written since, without waiting; an unfinished one stays for later."""
        if self._process is None:
            return []
        chunks = [self._unfinished]
        with suppress(BlockingIOError):
            while chunk := os.read(self.output, 65536):
                chunks.append(chunk)
            self._has_more = False
        *lines, self._unfinished = b"".join(chunks).split(b"\n")
        if len(self._unfinished) > _LINE_MAX_BYTES:
            lines.append(self._unfinished)
            self._unfinished = b""
        read = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.last_lines.extend(read)
        return read

    def missed_ping(self) -> bool:
        """Whether its last ping is too long ago, and there is no excuse."""
        watchdog, now = self.plan.watchdog, time.monotonic()
        if watchdog is None or self._pings is None:
            return False
        with suppress(BlockingIOError):
            if os.read(self._pings, 4096):
                self._next_ping_by = now + watchdog.timeout_seconds
        if now < self._next_ping_by:
            return False
        if watchdog.excused():
            self._next_ping_by = time.monotonic() + watchdog.timeout_seconds
            return False
        return True

    def ask_to_stop(self) -> None:
        """SIGTERM to the process alone: it looks after its own children."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Kill it, its own children included, which may outlive it; they are in its session's group."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def clear(self) -> None:
        """Kill what is left of it, and let go of its output."""
        if self._process is None:
            return
        self.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self._pings is not None:
            os.close(self._pings)
            self._pings = None
        self._process = None
        self._unfinished = b""

    def died(self, now: float | None = None) -> bool:
        """Count a death, plan the restart, and say whether to try again: not after so many quick ones."""
        moment = time.monotonic() if now is None else now
        self._deaths.append(moment)
        self.quick_deaths = sum(moment - death < QUICK_DEATHS_SECONDS for death in self._deaths)
        self.restart_at = moment + self.plan.backoff.after(self.quick_deaths)
        return self.quick_deaths < QUICK_DEATHS_MAX
