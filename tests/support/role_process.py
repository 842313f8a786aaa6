"""The roles as processes that are started again when they exit, as a container engine does it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.system.parent_death_signal import parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_RESTART_SECONDS = 0.3
_OURS = ("DATABASE_URL", "REDIS_URL", "SMTP_URL", "MAIL_", "ORDERMILL_")


def role_environment(**variables: str) -> dict[str, str]:
    """The environment of a program of ours: what an operator may have set for their own does not reach it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**others, "LOG_FORMAT": "json", **variables}


@dataclass
class Role:
    """One of a stack's programs with its log, such as ``ordermill api``; not to be shared between threads."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    files: Sequence[int] = ()
    exit_codes: list[int] = field(default_factory=list)
    held: bool = False
    """While it is set, the role is not started again."""
    process: subprocess.Popen[bytes] | None = None
    _start_at: float = 0.0

    def look_after(self) -> None:
        """Note that it has ended, and start it when the time has come."""
        if self.process is not None and self.process.poll() is not None:
            self.exit_codes.append(self.process.returncode)
            self.process = None
            self._start_at = time.monotonic() + _RESTART_SECONDS
        if self.process is None and not self.held and time.monotonic() >= self._start_at:
            self._start()

    def _start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=role_environment(**self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=self.files,
                start_new_session=True,
                preexec_fn=parent_death_signal(signal.SIGKILL),  # noqa: PLW1509 - it calls prctl and nothing else
            )

    def stop(self, grace_seconds: float) -> None:
        """Wait for it to leave, and kill what does not; it has been asked to leave."""
        if self.process is None:
            return
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
