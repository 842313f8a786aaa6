"""scheduler-process: the process that `scheduler` and `serve` supervise."""

from __future__ import annotations

import click

from cli.processes.role_settings import liveness_option, settings_with_servers
from worker.maintenance.scheduler import run


@click.command(hidden=True)
@liveness_option
def scheduler_process(liveness_fd: int) -> None:
    """Run a scheduler that pings its supervisor."""
    run(settings_with_servers("scheduler"), liveness_fd)
