"""An embedded PostgreSQL: a cluster under the data directory, reachable over a private Unix socket only."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from cli.servers.area import Area, ServersError
from cli.servers.child import account_options, last_line, start_server, stop_orphan, stop_server
from cli.servers.postgres_programs import find_programs
from cli.servers.sockets import sockets_dir

NAME = "PostgreSQL"
_USER = _DATABASE = "ordermill"
_PORT = 5432
# A cluster that was killed replays its log first, which may take its time.
_READY_SECONDS = 120
# Another start may have to wait until the last children of a killed server have let its memory go.
_START_TRIES = 3
_FIRST_MAJOR_WITH_BUILTIN_LOCALE = 17
# Nothing of our environment: PGPORT, PGOPTIONS and their like would change what we start.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
# Fast shutdown: sessions end, the log is flushed. Then immediate: the log is replayed at the next start.
_STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))


class EmbeddedPostgres:
    """PostgreSQL as our child; ``durable=False`` (tests) trades safety against a power cut for speed.

    Once ``given_up`` is set, a start that waits for it to be ready ends at once.
    """

    def __init__(self, area: Area, given_up: threading.Event | None = None, *, durable: bool) -> None:
        self._area = area
        self._given_up = given_up or threading.Event()
        self._durable = durable
        self._cluster = area.data_dir / "postgres"
        self._log = area.data_dir / "postgres.log"
        self._sockets = area.private_dir(sockets_dir(area) / "postgres", for_account=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"postgresql://{_USER}@/{_DATABASE}?host={quote(str(self._sockets), safe='/')}&port={_PORT}"

    @property
    def running(self) -> bool:
        """Whether our child lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers. Raises ServersError."""
        stop_orphan(self._cluster / "postmaster.pid", self._cluster, _STOP)
        self._remove_sockets()
        programs, major = find_programs(self._area, self._made_by())
        if self._made_by() is None:
            self._init(programs, major)
        for tries_left in reversed(range(_START_TRIES)):
            self._process = self._launch(programs)
            if self._await_ready():
                return
            if tries_left:
                self._given_up.wait(1)
        raise ServersError(f"PostgreSQL did not start; {self._log} says{last_line(self._log)}")

    def stop(self) -> None:
        """Shut down in order."""
        if self._process is not None:
            stop_server(self._process, _STOP)

    def _remove_sockets(self) -> None:
        """Take away what a killed server left of its socket.

        Its lock is stale, as nobody runs in the cluster; but it names a process, and when another one has
        that number by now, PostgreSQL takes it for the lock's owner.
        """
        for name in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
            (self._sockets / name).unlink(missing_ok=True)

    def _made_by(self) -> int | None:
        try:
            return int((self._cluster / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def _init(self, programs: Path, major: int) -> None:
        # Made aside and moved into place at the end: a killed start leaves no half a cluster.
        making = self._area.data_dir / "postgres.new"
        shutil.rmtree(making, ignore_errors=True)
        self._area.private_dir(making, for_account=True)
        unsafe = [] if self._durable else ["--no-sync"]
        self._run([programs / "initdb", "-D", making, "-U", _USER, "-A", "trust", *_locale(major), *unsafe])
        # A server on its own, without sockets: the shortest way to a database of our name.
        self._run(
            [programs / "postgres", "--single", "-D", making, "postgres"],
            said=f"CREATE DATABASE {_DATABASE}\n",
        )
        making.rename(self._cluster)

    def _run(self, command: Sequence[str | Path], said: str = "") -> None:
        try:
            done = subprocess.run(  # noqa: S603 - a program that we found ourselves
                command,
                input=said,
                capture_output=True,
                text=True,
                check=False,
                cwd=self._area.data_dir,
                env=_ENVIRONMENT,
                **account_options(self._area.account),
            )
        except OSError as error:
            raise ServersError(f"{command[0]} cannot be run ({error.strerror}).") from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["nothing"]
            raise ServersError(f"The database in {self._area.data_dir} could not be made: {lines[-1]}")

    def _launch(self, programs: Path) -> subprocess.Popen[bytes]:
        safe = "on" if self._durable else "off"
        options = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": '"' + str(self._sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            # API threads, worker processes, the scheduler and a few commands beside them.
            "max_connections": "100",
            "shared_buffers": "128MB",
            # Accepted means durable, even if somebody's postgresql.conf says otherwise.
            "fsync": safe,
            "synchronous_commit": safe,
            "full_page_writes": safe,
            # Checkpoints are routine; what the log holds should be worth reading.
            "log_checkpoints": "off",
            "log_timezone": "UTC",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return start_server(
            [str(programs / "postgres"), "-D", str(self._cluster), *arguments],
            directory=self._cluster,
            log=self._log,
            last_words=signal.SIGINT,
            environment=_ENVIRONMENT,
            account=self._area.account,
        )

    def _await_ready(self) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        while self.running:
            if self._says_ready():
                return True
            if self._given_up.is_set():
                self.stop()
                raise ServersError("PostgreSQL was told to stop before it was ready.")
            if time.monotonic() > deadline:
                self.stop()
                raise ServersError(f"PostgreSQL was not ready after {_READY_SECONDS} s; see {self._log}.")
            time.sleep(0.02)
        return False

    def _says_ready(self) -> bool:
        # As pg_ctl does it: the server keeps its state in the last line of this file.
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return ours and lines[7:8] != [] and lines[7].strip() == "ready"


def _locale(major: int) -> list[str]:
    if major >= _FIRST_MAJOR_WITH_BUILTIN_LOCALE:
        # Unicode upper and lower case, the same on every system.
        return ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["-E", "UTF8", "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
