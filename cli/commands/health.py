"""health: whether a role on this machine does its work; for the health checks of containers."""

from __future__ import annotations

import socket
from contextlib import closing

import click

from cli.errors import NotDoneError
from shared.queue.job_queue import JobQueue, QueueAwayError
from shared.settings import Settings, load_settings

# How long the scheduler may take for a sweep, and for coming back after an outage.
_SWEEP_GRACE_SECONDS = 30.0


@click.command()
@click.argument("role", type=click.Choice(["worker", "mailer", "scheduler"]))
def health(role: str) -> None:
    """Tell whether the worker, the mailer or the scheduler of this machine does its work.

    It asks for signs of work, not for a process: one that is alive but takes no messages is not well.
    For the API ask GET /healthz and /readyz. Exits with 0 when it is well, else with 2.
    """
    settings = load_settings()
    if not settings.redis_url:
        raise click.UsageError("REDIS_URL names no Redis; health asks the one that the role works with.")
    with closing(JobQueue(settings)) as queue:
        try:
            problem = _problem(role, queue, settings)
        except QueueAwayError as error:
            raise NotDoneError(f"Not well: {error}.") from error
    if problem:
        raise NotDoneError(f"Not well: {problem}.")
    click.echo("well")


def _problem(role: str, queue: JobQueue, settings: Settings) -> str:
    if role == "scheduler":
        return scheduler_problem(queue, settings)
    return worker_problem(queue) if role == "worker" else mailer_problem(queue)


def worker_problem(queue: JobQueue, host: str | None = None) -> str:
    """What is wrong with the worker of ``host`` (this machine's name by default), or ``""``."""
    return _without_heartbeat("worker", queue.workers(), host or socket.gethostname())


def mailer_problem(queue: JobQueue, host: str | None = None) -> str:
    """What is wrong with the mailer of ``host`` (this machine's name by default), or ``""``."""
    return _without_heartbeat("mailer", queue.mailers(), host or socket.gethostname())


def _without_heartbeat(role: str, names: list[str], host: str) -> str:
    if any(name.rpartition("@")[2] == host for name in names):
        return ""
    return f"no {role} of {host} has said lately that it takes messages"


def scheduler_problem(queue: JobQueue, settings: Settings) -> str:
    """What is wrong with the scheduler, or ``""``."""
    ago = queue.seconds_since_sweep()
    if ago is None:
        return "no scheduler has swept yet"
    if ago > 3 * settings.sweep_seconds + _SWEEP_GRACE_SECONDS:
        return f"the last sweep was {ago:g} s ago"
    return ""
