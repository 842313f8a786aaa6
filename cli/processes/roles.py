"""The roles of ordermill as children on one machine: how each is run, and what they write."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import structlog

from cli.processes.child_plans import api_plan, child_environment, process_plan
from cli.processes.supervisor import Say, Supervisor
from cli.servers.keeping import kept_alive
from cli.system.listen_socket import url_of
from shared.logs import speaks_to_a_person
from shared.settings import Settings

if TYPE_CHECKING:
    from cli.processes.child import ChildPlan
    from cli.servers import RunningServers
    from cli.system.stop_signals import StopRequest

log = structlog.get_logger()

_COLOURS = {"api": "cyan", "worker": "green", "mailer": "blue", "scheduler": "magenta"}


def run_stack(
    settings: Settings,
    listen_socket: socket.socket,
    servers: RunningServers,
    stop: StopRequest,
    hints: Sequence[str],
) -> int:
    """Run all roles until asked to stop, then 0; 1 when one keeps dying. The servers are revived as well."""
    human = speaks_to_a_person(settings)
    supervisor = Supervisor(plans(settings, listen_socket.fileno()), _sayer(human=human), stop)
    threading.Thread(target=_announce, args=(url_of(listen_socket), hints, stop), daemon=True).start()
    with kept_alive(servers) as look_at_servers:
        # Without our copy of the socket nothing new is let in, to wait for an API that has gone.
        return supervisor.run(look_at_servers, listen_socket.close)


def plans(settings: Settings, listen_fd: int) -> list[list[ChildPlan]]:
    """The roles in the order in which they are stopped: the API, the scheduler, the workers."""
    environment = child_environment(
        settings,
        DATABASE_URL=settings.database_url,
        # Not for those who only read and write rows.
        MIGRATE_DATABASE_URL="",
        REDIS_URL=settings.redis_url,
        WORKER_PROCESSES=str(settings.worker_processes),
        MAIL_DIR=settings.mail_dir,
    )
    scheduler, worker, mailer = (
        process_plan(settings, role, environment) for role in ("scheduler", "worker", "mailer")
    )
    return [[api_plan(settings, environment, listen_fd)], [scheduler], [worker, mailer]]


def _sayer(*, human: bool) -> Say:
    """Writes a child's line to standard error: after its name for a person, else as JSON."""
    width = max(map(len, _COLOURS))

    def say(name: str, line: str) -> None:
        if human:
            # click leaves the colour out where standard error is no terminal.
            click.echo(click.style(f"{name:{width}} | ", fg=_COLOURS.get(name)) + line, err=True)
        elif line.startswith("{"):
            click.echo(line, err=True)
        elif line.strip():
            # What a library prints past the logging.
            log.info("child_said", child=name, line=line)

    return say


def _announce(url: str, hints: Sequence[str], stop: StopRequest) -> None:
    """Say where the API is as soon as it answers. The socket listens already, so one question may wait."""
    while not stop.asked:
        if _is_alive(url):
            click.echo("\n".join([f"ordermill is at {url}", *(f"  {hint}" for hint in hints)]))
            return
        time.sleep(0.2)


def _is_alive(url: str) -> bool:
    # Not urllib's opener: it would ask a proxy for our own loopback address.
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
