"""One role alone, supervised: `ordermill worker`, `ordermill mailer` and `ordermill scheduler`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import structlog

from cli.processes.child import ChildPlan
from cli.processes.supervisor import Supervisor
from cli.processes.watchdog import loop_watchdog, queue_watchdog
from cli.system.stop_signals import StopRequest
from shared.logs import configure_logging, speaks_to_a_person
from shared.settings import Settings, environment_with

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEDULER = "scheduler"

# Beyond what the role grants its own work, for it to leave.
_LEAVING_SECONDS = 5

log = structlog.get_logger()


def run_supervised(settings: Settings, role: str, options: Sequence[str]) -> int:
    """Run a role as our child until we are asked to stop, then 0; 1 when it keeps dying.

    It is started again when it dies or takes no messages any more. A Celery worker can do both for no reason
    of its own, and its pid tells nothing of the second.
    """
    configure_logging(settings, role)
    # Its output is a pipe; ours may be a terminal.
    environment = environment_with(LOG_FORMAT="human" if speaks_to_a_person(settings) else "json")
    plan = ChildPlan(
        name=role,
        command=[sys.executable, "-P", "-m", "cli", role, *options],
        environment=environment,
        grace_seconds=settings.worker_grace_seconds + _LEAVING_SECONDS,
        watchdog=loop_watchdog(settings) if role == SCHEDULER else queue_watchdog(settings),
    )
    with StopRequest() as stop:
        stop.only_note()
        return Supervisor([[plan]], _say, stop).run(_nothing_else, _nothing_else)


def _say(_role: str, line: str) -> None:
    click.echo(line, err=True)


def _nothing_else() -> None:
    """There is nothing else to look after."""
