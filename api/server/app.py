"""The HTTP API under gunicorn: processes of threads around the Flask application."""

from __future__ import annotations

import gc
import logging
import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.wsgi import Response

from api.server.worker import DeadlineWorker
from shared.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

# A thread that reads a body of the largest size may keep the others from running for seconds; gunicorn's
# heartbeat comes from one of those.
_HEARTBEAT_LIMIT_SECONDS = 120
# Longer than a usual client's pause between two batches. A kept connection holds no thread.
_KEEP_ALIVE_SECONDS = 30
_CONNECTIONS_MAX = 2000
# Connections to the servers behind, polls, logs.
_OTHER_FILES = 1000
# Far more than any client and its proxies send.
_FIELDS_MAX = 32
_FIELD_BYTES_MAX = 4096


class HttpServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with our settings, on a socket that listens already."""

    def __init__(self, settings: Settings, listen_socket: socket.socket) -> None:
        self.settings = settings
        # gunicorn takes the descriptor as its own, and closes it when it stops.
        self._descriptor = listen_socket.detach()
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to run; what is not named here has its default."""
        settings = self.settings
        options: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "worker_class": DeadlineWorker,
            "workers": settings.api_processes,
            "threads": settings.api_threads,
            "worker_connections": max(_CONNECTIONS_MAX, 2 * settings.api_threads),
            "timeout": _HEARTBEAT_LIMIT_SECONDS,
            "graceful_timeout": settings.api_grace_seconds,
            "keepalive": _KEEP_ALIVE_SECONDS,
            # Repeated fields are one value in the end: together they are what has to be read in no time.
            "limit_request_fields": _FIELDS_MAX,
            "limit_request_field_size": _FIELD_BYTES_MAX,
            # A file that is touched every second; on a disk that stalls it would look like a dead worker.
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - memory, where there is some; gunicorn's own file in it
            "logger_class": PropagatingLogger,
            # Nobody's word is taken for the scheme or the path; by default, a client's on this machine is.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            # The application writes one line per request, with its request id.
            "accesslog": None,
            # One more socket in the working directory that nobody needs.
            "control_socket_disable": True,
            "proc_name": "ordermill-api",
            "post_worker_init": _begin_worker,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; in the worker, after the fork."""
        from api.app import create_app  # noqa: PLC0415 - the arbiter needs none of it

        return create_app(self.settings)


class PropagatingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's lines go the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and levels to the root logger."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        # At DEBUG it repeats the paths of requests, which may hold anything.
        self.error_log.setLevel(max(logging.INFO, logging.getLogger().level))


def _begin_worker(_worker: Any) -> None:
    _keep_the_server_unnamed()
    _open_enough_files()
    # What is there by now stays: the collector need not walk through it again with every large batch.
    gc.freeze()


def _open_enough_files() -> None:
    """Many systems let a process open 1,024 files unless it asks for more: fewer than our connections."""
    allowed, at_most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS_MAX + _OTHER_FILES
    if at_most != resource.RLIM_INFINITY:
        wanted = min(wanted, at_most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, at_most))


def _keep_the_server_unnamed() -> None:
    """What gunicorn offers no setting for: no ``Server`` header."""
    told = Response.default_headers

    def default_headers(response: Any) -> list[str]:
        # It tells an attacker what to try, and a client nothing.
        return [line for line in told(response) if not line.startswith("Server:")]

    Response.default_headers = default_headers
