"""Child plans: how a supervisor runs each role."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli.processes.child import ChildPlan
from cli.processes.watchdog import Watchdog, loop_watchdog, queue_watchdog
from shared.logs import speaks_to_a_person
from shared.settings import Settings, environment_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Beyond what a role grants its own work, for it to leave.
_LEAVING_SECONDS = 5
_SCHEDULER_GRACE_SECONDS = 10


def child_environment(settings: Settings, **variables: str) -> dict[str, str]:
    """Our environment for a child, with these variables in it; its log is as ours."""
    # Its output is a pipe; ours may be a terminal.
    return environment_with(LOG_FORMAT="human" if speaks_to_a_person(settings) else "json", **variables)


def api_plan(settings: Settings, environment: Mapping[str, str], listen_fd: int) -> ChildPlan:
    """The API, which supervises its own processes, on a socket that listens already."""
    return ChildPlan(
        name="api",
        command=_command("api", "--listen-fd", str(listen_fd)),
        environment=environment,
        grace_seconds=settings.api_grace_seconds + _LEAVING_SECONDS,
        kept_files=[listen_fd],
    )


def process_plan(
    settings: Settings, role: str, environment: Mapping[str, str], options: Sequence[str] = ()
) -> ChildPlan:
    """The process of a worker, mailer or scheduler, with the watchdog that it pings."""
    return ChildPlan(
        name=role,
        command=_command(f"{role}-process", *options),
        environment=environment,
        grace_seconds=_grace_seconds(settings, role),
        watchdog=_watchdog(settings, role),
    )


def _command(*words: str) -> list[str]:
    # -P: a directory named api or worker where we happen to be started is not ours.
    return [sys.executable, "-P", "-m", "cli", *words]


def _grace_seconds(settings: Settings, role: str) -> float:
    if role == "scheduler":
        return _SCHEDULER_GRACE_SECONDS
    return settings.worker_grace_seconds + _LEAVING_SECONDS


def _watchdog(settings: Settings, role: str) -> Watchdog:
    return loop_watchdog(settings) if role == "scheduler" else queue_watchdog(settings)
