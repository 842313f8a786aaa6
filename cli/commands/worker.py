"""worker: a Celery worker alone, supervised. Its process is `worker-process`: this one needs no Celery."""

from __future__ import annotations

import sys

import click

from cli.processes.role_settings import settings_with_servers
from cli.processes.run_supervised import run_supervised


@click.command()
@click.option("--concurrency", type=click.IntRange(1), help="Child processes; WORKER_PROCESSES by default.")
def worker(concurrency: int | None) -> None:
    """Run a Celery worker alone. Start more of them to decide more orders at once."""
    settings = settings_with_servers("worker")
    options = ["--concurrency", str(concurrency)] if concurrency else []
    sys.exit(run_supervised(settings, "worker", options))
