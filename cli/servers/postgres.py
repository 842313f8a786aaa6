"""An embedded PostgreSQL: a cluster under the data directory, reachable over a private Unix socket only."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg

from cli.servers.accounts import SystemUser, hand_over, initializer
from cli.servers.child import account_options, last_line, start_server, stop_orphan, stop_server
from cli.servers.data_dir import CLUSTER, DataDir, ServersError
from cli.servers.passwords import PasswordFile
from cli.servers.postgres_programs import find_programs
from cli.servers.sockets import sockets_dir
from shared.persistence.core.roles import OWNER, PLAIN, make_roles
from shared.private_files import open_private, read_plain

NAME = "PostgreSQL"
_SUPERUSER = _DATABASE = "ordermill"
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


class DatabaseUrls(NamedTuple):
    """The same database as each of its roles reaches it."""

    plain: str
    owner: str
    superuser: str


class EmbeddedPostgres:
    """PostgreSQL as our child; ``durable=False`` (tests) trades safety against a power cut for speed.

    Once ``given_up`` is set, a start that waits for it to be ready ends at once.
    """

    def __init__(self, data_dir: DataDir, given_up: threading.Event | None = None, *, durable: bool) -> None:
        self._data_dir = data_dir
        self._given_up = given_up or threading.Event()
        self._durable = durable
        self._cluster = data_dir.path / CLUSTER
        self._passwords = PasswordFile(data_dir.path / "postgres.passwords")
        self._rules = self._cluster / "ordermill_hba.conf"
        self._log = data_dir.path / "postgres.log"
        self._sockets = data_dir.private_dir(sockets_dir(data_dir) / "postgres", for_account=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> DatabaseUrls:
        """How each of its roles reaches it; only once it has been started."""
        return DatabaseUrls(*(self._url(role, _DATABASE) for role in (PLAIN, OWNER, _SUPERUSER)))

    @property
    def running(self) -> bool:
        """Whether our child lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers. Raises ServersError."""
        stop_orphan(self._cluster / "postmaster.pid", self._cluster, _STOP)
        self._remove_sockets()
        programs, major = find_programs(self._data_dir, self._made_by())
        if self._made_by() is None:
            self._init(programs, major)
        self._hand_over()
        if self._passwords.read():
            self._run_it(programs)
        else:
            self._run_it(programs, open_to_us=True)
            self._lock_up()

    def _run_it(self, programs: Path, *, open_to_us: bool = False) -> None:
        self._say_who_gets_in(open_to_us=open_to_us)
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
            return int(read_plain(self._cluster / "PG_VERSION"))
        except FileNotFoundError:
            return None

    def _init(self, programs: Path, major: int) -> None:
        # Made aside and moved into place at the end: a killed start leaves no half a cluster.
        making = self._data_dir.path / "postgres.new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        account = None
        if self._data_dir.account is not None:
            # It asks for its user's name, which a mere number does not have.
            account = initializer()
            if account is None:
                raise ServersError(
                    "PostgreSQL does not run as root, and this system has no other user without processes to "
                    "make the database as: start ordermill as another user, or name a server in DATABASE_URL."
                )
            os.chown(making, account.uid, account.gid)
        unsafe = [] if self._durable else ["--no-sync"]
        # Nobody is let in by what it writes; see _say_who_gets_in.
        who = ["-U", _SUPERUSER, "-A", "reject"]
        self._run([programs / "initdb", "-D", making, *who, *_locale(major), *unsafe], account)
        if self._data_dir.account is not None:
            hand_over(making, self._data_dir.account)
        making.rename(self._cluster)

    def _hand_over(self) -> None:
        """Give a cluster of an earlier version, which ran as ``nobody``, to its own user."""
        account = self._data_dir.account
        if account is not None and self._cluster.stat().st_uid != account.uid:
            hand_over(self._cluster, account)

    def _say_who_gets_in(self, *, open_to_us: bool) -> None:
        """Write the rules of authentication; ``open_to_us`` lets the superuser in without a password.

        That is for the moment in which the passwords are made, over a socket that only we and the server
        reach.
        """
        lines = ["local all all scram-sha-256", "local replication all scram-sha-256"]
        if open_to_us:
            lines.insert(0, f"local all {_SUPERUSER} trust")
        self._rules.unlink(missing_ok=True)
        with open(self._rules, "x", opener=open_private) as file:
            file.write("\n".join(["# Written by ordermill at each start.", *lines, ""]))
            if self._data_dir.account is not None:
                os.fchown(file.fileno(), self._data_dir.account.uid, self._data_dir.account.gid)

    def _lock_up(self) -> None:
        """Make the roles and their passwords, and ask for these from now on."""
        made = {role: secrets.token_urlsafe(24) for role in (_SUPERUSER, OWNER, PLAIN)}
        make_roles(self._url(_SUPERUSER, "postgres"), made, _DATABASE)
        self._say_who_gets_in(open_to_us=False)
        with psycopg.connect(self._url(_SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        # Last: a start that was killed before this does it all again.
        self._passwords.write(made)

    def _url(self, role: str, database: str) -> str:
        password = self._passwords.read().get(role)
        who = f"{role}:{password}" if password else role
        return f"postgresql://{who}@/{database}?host={quote(str(self._sockets), safe='/')}&port={_PORT}"

    def _run(self, command: Sequence[str | Path], account: SystemUser | None) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - a program that we found ourselves
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                cwd=self._data_dir.path,
                env=_ENVIRONMENT,
                **account_options(account),
            )
        except OSError as error:
            raise ServersError(f"{command[0]} cannot be run ({error.strerror}).") from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["nothing"]
            raise ServersError(f"The database in {self._data_dir.path} could not be made: {lines[-1]}")

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
            # Nor should it hold the row at fault, with somebody's address in it.
            "log_error_verbosity": "terse",
            "hba_file": str(self._rules),
            "password_encryption": "scram-sha-256",
            "log_timezone": "UTC",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return start_server(
            [str(programs / "postgres"), "-D", str(self._cluster), *arguments],
            directory=self._cluster,
            log=self._log,
            death_signal=signal.SIGINT,
            environment=_ENVIRONMENT,
            account=self._data_dir.account,
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
            lines = read_plain(self._cluster / "postmaster.pid").splitlines()
        except FileNotFoundError:
            return False
        ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return ours and lines[7:8] != [] and lines[7].strip() == "ready"


def _locale(major: int) -> list[str]:
    if major >= _FIRST_MAJOR_WITH_BUILTIN_LOCALE:
        # Unicode upper and lower case, the same on every system.
        return ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["-E", "UTF8", "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
