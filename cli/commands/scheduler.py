"""scheduler: the scheduler alone, supervised. Its process is `scheduler-process`."""

from __future__ import annotations

import sys

import click

from cli.processes.role_settings import settings_with_servers
from cli.processes.run_supervised import run_supervised


@click.command()
def scheduler() -> None:
    """Run the scheduler alone: it dispatches again what was accepted and is not decided. One is enough."""
    sys.exit(run_supervised(settings_with_servers("scheduler"), "scheduler"))
