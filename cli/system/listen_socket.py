"""The listening socket: bound before anything is started, so that a port in use is told at once."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from cli.errors import NotDoneError

# Connections that wait to be accepted; gunicorn's own default.
_BACKLOG = 2048
# The processes of a killed API hold its port for about a second longer than itself.
_TAKEN_SECONDS = 2.0
_TRY_AGAIN_SECONDS = 0.05


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises NotDoneError, after 2 s if the port stays taken."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise NotDoneError(f"{host!r} is not an address of this machine: {error.strerror}.") from error
    listen_socket = socket.socket(family, kind)
    try:
        # A restart must not wait until the last connections of the one before are forgotten.
        listen_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listen_socket, address)
        listen_socket.listen(_BACKLOG)
    except OSError as error:
        listen_socket.close()
        raise NotDoneError(_sentence(error, host, port)) from error
    return listen_socket


def _bind(listen_socket: socket.socket, address: Any) -> None:
    """Take the address, which whoever had it until now may be about to leave. Raises OSError."""
    deadline = time.monotonic() + _TAKEN_SECONDS
    while True:
        try:
            listen_socket.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(_TRY_AGAIN_SECONDS)
        else:
            return


def url_of(listen_socket: socket.socket) -> str:
    """How a client on this machine reaches it."""
    host, port = listen_socket.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - only named here
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 - it is compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken: choose another with --port (0 takes any that is free)."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root: choose one above 1023 with --port."
    return f"{host} port {port} cannot be listened at: {error.strerror}."
