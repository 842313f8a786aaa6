"""The commands that run one role each, and the one that brings the schema up: what compose is made of."""

from __future__ import annotations

import logging
import math
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

import click

from cli.database import data_dir_option
from cli.errors import NotDoneError
from shared.failpoints import arm
from shared.settings import Settings, load_failpoints, load_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--listen-fd", type=int, hidden=True, help="A listening socket that our parent has opened.")
def api(host: str, port: int, listen_fd: int | None) -> None:
    """Run the HTTP API alone, under gunicorn.

    API_PROCESSES and API_THREADS say how many requests it serves at once.
    """
    from api.server.app import HttpServer  # noqa: PLC0415 - gunicorn is this command's alone
    from cli.system.listen_socket import listen  # noqa: PLC0415
    from shared.logs import configure_logging  # noqa: PLC0415

    settings = _settings_with_servers("api")
    configure_logging(settings, "api")
    listen_socket = listen(host, port) if listen_fd is None else socket.socket(fileno=listen_fd)
    HttpServer(settings, listen_socket).run()


_liveness_option = click.option("--liveness-fd", type=int, hidden=True, help="Where the watchdog is pinged.")


@click.command()
@click.option("--concurrency", type=click.IntRange(1), help="Child processes; WORKER_PROCESSES by default.")
@_liveness_option
def worker(concurrency: int | None, liveness_fd: int | None) -> None:
    """Run a Celery worker alone. Start more of them to decide more orders at once."""
    settings = _settings_with_servers("worker")
    if liveness_fd is None:
        _run_supervised(settings, "worker", *(["--concurrency", str(concurrency)] if concurrency else []))
    from shared.domain.slicing import SLICE_QUEUES  # noqa: PLC0415

    _run_celery(
        settings,
        "worker",
        liveness_fd,
        # All that is fetched is being worked on, and no slice takes longer than the task's limit.
        held_most_seconds=2 * settings.task_limit_seconds,
        pool_cls="prefork",
        concurrency=concurrency or settings.worker_processes,
        queues=list(SLICE_QUEUES),
    )


@click.command()
@_liveness_option
def mailer(liveness_fd: int | None) -> None:
    """Run the mailer alone: it sends the confirmations. One is enough, MAIL_THREADS says how many at once.

    Not a task of the workers: a mail server that is slow or away must not keep an order waiting.
    """
    from shared.queue.job_queue import MAILER  # noqa: PLC0415 - Celery is slow to import
    from shared.queue.lanes import MAIL_QUEUE  # noqa: PLC0415
    from worker.mail.context import open_post  # noqa: PLC0415

    settings = _settings_with_servers("mailer")
    if open_post(settings) is None:
        raise NotDoneError(
            "`ordermill mailer` needs SMTP_URL and MAIL_FROM, or MAIL_DIR, in its environment."
        )
    if liveness_fd is None:
        _run_supervised(settings, "mailer")
    _run_celery(
        settings,
        "mailer",
        liveness_fd,
        # What is fetched waits for its turn, and its turn depends on the mail server.
        held_most_seconds=math.inf,
        # It does little but wait for a server.
        pool_cls="threads",
        concurrency=settings.mail_threads,
        # Threads do not wake Celery's loop when they are done: it fetches again at its next tick, a second or
        # two later. With one message per thread that was three mails a second.
        prefetch_multiplier=25,
        queues=[MAIL_QUEUE],
        hostname=f"{MAILER}@{socket.gethostname()}",
    )


def _run_supervised(settings: Settings, role: str, *options: str) -> NoReturn:
    from cli.processes.run_supervised import run_supervised  # noqa: PLC0415

    sys.exit(run_supervised(settings, role, options))


def _run_celery(
    settings: Settings, role: str, liveness_fd: int, *, held_most_seconds: float, **options: Any
) -> NoReturn:
    from shared.logs import configure_logging  # noqa: PLC0415
    from worker.app import create_worker_app  # noqa: PLC0415
    from worker.liveness import Liveness  # noqa: PLC0415

    configure_logging(settings, role)
    # It warns of pickled messages, and we accept none.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    running = create_worker_app(settings, role, Liveness(liveness_fd, held_most_seconds)).Worker(
        **options,
        loglevel=logging.getLogger().level,
        # Workers of ours have nothing to tell one another; the database knows all.
        without_gossip=True,
        without_mingle=True,
        # No banner: log lines only.
        quiet=True,
    )
    running.start()
    sys.exit(running.exitcode)


@click.command()
@_liveness_option
def scheduler(liveness_fd: int | None) -> None:
    """Run the scheduler alone: it dispatches again what was promised and is not decided. One is enough."""
    settings = _settings_with_servers("scheduler")
    if liveness_fd is None:
        _run_supervised(settings, "scheduler")
    from worker.maintenance.scheduler import run  # noqa: PLC0415

    run(settings, liveness_fd)


@click.command()
@data_dir_option
def migrate(data_dir: Path) -> None:
    """Bring the database's schema up. Several may run at once: one does it, the others wait."""
    from cli.database import database_as_it_is  # noqa: PLC0415
    from shared.persistence.core.migrate import migrate_as_owner  # noqa: PLC0415

    with database_as_it_is(data_dir) as (settings, _):
        revision = migrate_as_owner(settings, "migrate")
    click.echo(f"The schema is at {revision}.")


def _settings_with_servers(role: str) -> Settings:
    settings = load_settings()
    missing = [name for name in ("database_url", "redis_url") if not getattr(settings, name)]
    if missing:
        raise NotDoneError(
            f"`ordermill {role}` needs {' and '.join(name.upper() for name in missing)} in its environment; "
            "`ordermill serve` runs everything on this machine without."
        )
    arm(load_failpoints())
    return settings
