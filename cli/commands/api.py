"""api: the HTTP API alone."""

from __future__ import annotations

import socket

import click

from api.server.app import HttpServer
from cli.processes.role_settings import settings_with_servers
from cli.system.listen_socket import listen
from shared.logs import configure_logging


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
    settings = settings_with_servers("api")
    configure_logging(settings, "api")
    listen_socket = listen(host, port) if listen_fd is None else socket.socket(fileno=listen_fd)
    HttpServer(settings, listen_socket).run()
