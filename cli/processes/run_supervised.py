"""One role alone, supervised: `ordermill worker`, `ordermill mailer` and `ordermill scheduler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.processes.child_plans import child_environment, process_plan
from cli.processes.supervisor import Supervisor
from cli.system.stop_signals import StopRequest
from shared.logs import configure_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import Settings


def run_supervised(settings: Settings, role: str, options: Sequence[str] = ()) -> int:
    """Run a role as our child until we are asked to stop, then 0; 1 when it keeps dying.

    It is started again when it dies or takes no messages any more. A Celery worker can do both for no reason
    of its own, and its pid tells nothing of the second.
    """
    configure_logging(settings, role)
    plan = process_plan(settings, role, child_environment(settings), options)
    with StopRequest() as stop:
        stop.only_note()
        return Supervisor([[plan]], _say, stop).run(_nothing_else, _nothing_else)


def _say(_role: str, line: str) -> None:
    click.echo(line, err=True)


def _nothing_else() -> None:
    """There is nothing else to look after."""
