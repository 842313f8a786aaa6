"""worker-process: the process that `worker` and `serve` supervise."""

from __future__ import annotations

import click

from cli.processes.celery_process import run_celery
from cli.processes.role_settings import liveness_option, settings_with_servers
from shared.domain.slicing import SLICE_QUEUES


@click.command(hidden=True)
@click.option("--concurrency", type=click.IntRange(1), help="Child processes; WORKER_PROCESSES by default.")
@liveness_option
def worker_process(concurrency: int | None, liveness_fd: int) -> None:
    """Run a Celery worker that pings its supervisor."""
    settings = settings_with_servers("worker")
    run_celery(
        settings,
        "worker",
        liveness_fd,
        # All that is fetched is being worked on, and no slice takes longer than the task's limit.
        held_most_seconds=2 * settings.task_limit_seconds,
        pool_cls="prefork",
        concurrency=concurrency or settings.worker_processes,
        queues=list(SLICE_QUEUES),
    )
