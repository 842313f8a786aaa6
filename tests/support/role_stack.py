"""A whole stack whose parts can be killed one by one: servers, API, workers, scheduler."""

from __future__ import annotations

import shutil
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import psutil

from cli.servers import RunningServers, run_servers
from cli.system.listen_socket import listen, url_of
from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate
from tests.support.role_process import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from shared.settings import Settings

_LOOK_SECONDS = 0.05
_STOP_SECONDS = 20.0
_START_SECONDS = 120.0


@dataclass(frozen=True)
class RolePrograms:
    """What a stack consists of, beside its servers: ordermill's own programs, or those of another."""

    command: Callable[[str, Settings, int], Sequence[str]]
    """How to start a kind of role, such as worker; where the servers are; the API's listening descriptor."""
    prepare: Callable[[Settings], None]
    """Called once, before anything is started but the servers."""
    supervised: bool
    """Whether a worker is a process that looks after Celery's main process, or that one itself."""


def _ordermill(kind: str, _settings: Settings, descriptor: int) -> Sequence[str]:
    words = [kind, *(["--listen-fd", str(descriptor)] if kind == "api" else [])]
    return [sys.executable, "-P", "-m", "cli", *words]


def migrated(settings: Settings) -> None:
    """Bring the schema up."""
    engine = open_database(settings, "test")
    migrate(engine)
    engine.dispose()


ORDERMILL: Final = RolePrograms(_ordermill, migrated, supervised=True)


def children(pid: int | None) -> list[psutil.Process]:
    """The processes right below one, which may be gone by now."""
    try:
        below = [] if pid is None else psutil.Process(pid).children()
        return [process for process in below if process.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


class RoleStack:
    """Keeps servers and roles alive from one thread: the kernel ties children to the life of a thread."""

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        roles: Sequence[str],
        logs: Path,
        programs: RolePrograms = ORDERMILL,
    ) -> None:
        self.settings = settings
        self.data_dir = data_dir
        self.roles: dict[str, Role] = {}
        self.environment: dict[str, str] = {}
        self.servers_held = False
        """While it is set, PostgreSQL and Redis are not started again."""
        self.fault: BaseException | None = None
        self._wanted, self._logs, self._programs = roles, logs, programs
        self._listen_socket = listen("127.0.0.1", 0)
        self._up, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="stack")

    @property
    def url(self) -> str:
        """Where the API is."""
        return url_of(self._listen_socket)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start everything; returns when the servers answer and the roles have been started."""
        self.environment.update(environment)
        self._thread.start()
        self._up.wait(_START_SECONDS)
        self.check()

    def check(self) -> None:
        """Raise what has ended the thread."""
        if self.fault is not None:
            raise RuntimeError("the stack has stopped") from self.fault

    def stop(self) -> None:
        """Stop everything in order."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._listen_socket.close()

    def pid(self, name: str) -> int | None:
        """The process of a role, or None while there is none."""
        process = self.roles[name].process
        return None if process is None else process.pid

    def process(self, name: str) -> psutil.Process | None:
        """The process of a role, or None while there is none."""
        pid = self.pid(name)
        return None if pid is None else psutil.Process(pid)

    def main_process(self, name: str) -> psutil.Process | None:
        """Celery's main process of a worker, or the API's first process that answers requests."""
        if name.startswith("worker") and not self._programs.supervised:
            return self.process(name)
        return next(iter(children(self.pid(name))), None)

    def task_processes(self, name: str) -> list[psutil.Process]:
        """The processes of a worker that run its tasks."""
        main = self.main_process(name)
        return [] if main is None else children(main.pid)

    def server(self, program: str) -> psutil.Process | None:
        """The main process of ``postgres`` or ``redis-server``."""
        for child in psutil.Process().children():
            if child.name() == program and child.status() != psutil.STATUS_ZOMBIE:
                return child
        return None

    def empty_redis(self) -> None:
        """Take away what a stopped Redis has on disk."""
        for kept in (self.data_dir / "redis").iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()

    def _run(self) -> None:
        try:
            with run_servers(self.settings, self.data_dir) as servers:
                self._serve(servers)
        except BaseException as fault:  # noqa: BLE001 - whoever waits for us raises it
            self.fault = fault
        finally:
            self._up.set()

    def _serve(self, servers: RunningServers) -> None:
        urls = servers.urls
        # Where the servers are somebody else's, they have no superuser's password for us.
        url = urls.superuser_url or urls.database_url
        self.settings = replace(self.settings, database_url=url, redis_url=urls.redis_url)
        self._programs.prepare(self.settings)
        for name in self._wanted:
            self.roles[name] = self._role(name)
        try:
            while not self._over.is_set():
                if not self.servers_held:
                    servers.revive()
                for role in self.roles.values():
                    role.look_after()
                self._up.set()
                self._over.wait(_LOOK_SECONDS)
        finally:
            self._stop_roles()

    def _role(self, name: str) -> Role:
        kind = name.partition("-")[0]
        descriptor = self._listen_socket.fileno()
        environment = {
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            **self.environment,
        }
        files = [descriptor] if kind == "api" else []
        command = self._programs.command(kind, self.settings, descriptor)
        return Role(name, command, environment, self._logs / f"{name}.log", files)

    def _stop_roles(self) -> None:
        for role in self.roles.values():
            if role.process is not None:
                role.process.terminate()
        for role in self.roles.values():
            role.stop(_STOP_SECONDS)


@contextmanager
def running_role_stack(
    settings: Settings,
    data_dir: Path,
    roles: Sequence[str],
    environment: Mapping[str, str],
    *,
    logs: Path | None = None,
    programs: RolePrograms = ORDERMILL,
) -> Iterator[RoleStack]:
    """Run a stack within the block; ``roles`` are such as api, worker-1, worker-2, scheduler."""
    stack = RoleStack(settings, data_dir, roles, logs or data_dir, programs)
    try:
        stack.start(environment)
        yield stack
        stack.check()
    finally:
        stack.stop()
