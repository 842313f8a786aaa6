"""The roles of ordermill as children on one machine: how each is run, and what they write."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import structlog

from cli.processes.child import ChildPlan
from cli.processes.supervisor import Say, Supervisor
from cli.processes.watchdog import Watchdog, loop_watchdog, queue_watchdog
from cli.servers.keeping import kept_alive
from cli.system.listen_socket import url_of
from shared.logs import speaks_to_a_person
from shared.settings import Settings, environment_with

if TYPE_CHECKING:
    from cli.servers import RunningServers
    from cli.system.stop_signals import StopRequest

log = structlog.get_logger()

# Beyond what a role grants its own work, for it to leave.
_LEAVING_SECONDS = 5
_SCHEDULER_GRACE_SECONDS = 10
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
    supervisor = Supervisor(plans(settings, listen_socket.fileno(), human=human), _sayer(human=human), stop)
    threading.Thread(target=_announce, args=(url_of(listen_socket), hints, stop), daemon=True).start()
    with kept_alive(servers) as look_at_servers:
        # Without our copy of the socket nothing new is let in, to wait for an API that has gone.
        return supervisor.run(look_at_servers, listen_socket.close)


def plans(settings: Settings, listen_fd: int, *, human: bool) -> list[list[ChildPlan]]:
    """The roles in the order in which they are stopped: the door, the clock, the workers."""
    environment = environment_with(
        DATABASE_URL=settings.database_url,
        # Not for those who only read and write rows.
        MIGRATE_DATABASE_URL="",
        REDIS_URL=settings.redis_url,
        WORKER_PROCESSES=str(settings.worker_processes),
        MAIL_DIR=settings.mail_dir,
        # Their output is a pipe; ours may be a terminal.
        LOG_FORMAT="human" if human else "json",
    )

    watchdog = queue_watchdog(settings)

    def plan(
        name: str, *options: str, grace: float, files: Sequence[int] = (), watchdog: Watchdog | None = None
    ) -> ChildPlan:
        # -P: a directory named api or worker where we happen to be started is not ours.
        command = [sys.executable, "-P", "-m", "cli", name, *options]
        return ChildPlan(
            name=name,
            command=command,
            environment=environment,
            grace_seconds=grace,
            kept_files=files,
            watchdog=watchdog,
        )

    api_grace, worker_grace = settings.api_grace_seconds, settings.worker_grace_seconds
    return [
        [
            plan(
                "api",
                "--listen-fd",
                str(listen_fd),
                grace=api_grace + _LEAVING_SECONDS,
                files=[listen_fd],
            )
        ],
        [plan("scheduler", grace=_SCHEDULER_GRACE_SECONDS, watchdog=loop_watchdog(settings))],
        [
            plan("worker", grace=worker_grace + _LEAVING_SECONDS, watchdog=watchdog),
            plan("mailer", grace=worker_grace + _LEAVING_SECONDS, watchdog=watchdog),
        ],
    ]


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
