"""serve: everything on this machine, with no server installed beforehand."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.database import data_dir_option
from cli.processes.roles import run_stack
from cli.servers import run_servers
from cli.system.listen_socket import listen
from cli.system.stop_signals import StopRequest
from shared.logs import configure_logging
from shared.persistence.access.first_steps import first_steps
from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate_as_owner
from shared.settings import load_data_dir, load_settings

if TYPE_CHECKING:
    from shared.persistence.access.first_steps import FirstSteps


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--workers", type=click.IntRange(1), help="Worker processes; WORKER_PROCESSES by default.")
@data_dir_option
def serve(host: str, port: int, workers: int | None, data_dir: Path) -> None:
    """Run everything on this machine: PostgreSQL, Redis, the API, workers, the mailer and the scheduler.

    Confirmations go to the server of SMTP_URL; without one they become files in DATA_DIR/mails.

    Ctrl-C or SIGTERM stops all of it in order and lets running work finish, which is an exit code of 0. What
    dies is started again; when it keeps dying, everything stops with exit code 1.
    """
    settings = load_settings()
    settings = replace(settings, worker_processes=workers or settings.worker_processes)
    configure_logging(settings, "serve")
    # The port first: a fault that a person can mend is told before anything is started.
    with (
        listen(host, port) as listen_socket,
        StopRequest() as stop,
        run_servers(settings, data_dir) as servers,
    ):
        urls = servers.urls
        settings = replace(
            settings,
            database_url=urls.database_url,
            redis_url=urls.redis_url,
            migrate_database_url=urls.migrate_database_url,
            mail_dir=settings.mail_dir or str(data_dir.expanduser().resolve() / "mails"),
        )
        migrate_as_owner(settings, "serve")
        engine = open_database(settings, "serve")
        hints = _hints(first_steps(engine), data_dir)
        engine.dispose()
        # Until here Ctrl-C interrupts; from here on everything is stopped in order.
        stop.only_note()
        code = run_stack(settings, listen_socket, servers, stop, hints)
    sys.exit(code)


def _hints(steps: FirstSteps, data_dir: Path) -> list[str]:
    """What to do next on a new installation, a line each."""
    option = "" if data_dir == load_data_dir() else f" --data-dir {data_dir}"
    hints = []
    if not steps.has_keys:
        hints.append(
            f"no API key yet:  ordermill keys create --name me --scopes orders:write,orders:read{option}"
        )
    if not steps.has_items:
        hints.append(f"no items yet:    ordermill catalog load FILE{option}")
    return hints
