"""``ordermill api`` on the tests' own servers, and raw sockets to it, with nothing polite between."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import orjson
import psutil
from sqlalchemy import Engine, text

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from shared.persistence.core.database import open_database
from tests.support.settling import settle_slice
from tests.support.until import until
from worker.context import open_worker_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

_READY_SECONDS = 30


@dataclass
class Answer:
    """What came back on a raw connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Connection:
    """A raw connection: what is sent is what is written here."""

    socket: socket.socket
    unread: bytes = b""

    def send(self, *parts: bytes) -> None:
        """Send, as far as the other side takes it: one that has refused already may have hung up."""
        try:
            self.socket.sendall(b"".join(parts))
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self, limit_seconds: float = 30) -> Answer:
        """The next answer. Raises ConnectionError when the connection ends before it."""
        begun = time.monotonic()
        self.socket.settimeout(limit_seconds)
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.title(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("Content-Length", "0"))
        while len(self.unread) < length:
            self._more()
        body, self.unread = self.unread[:length], self.unread[length:]
        return Answer(int(first.split()[1]), headers, body, time.monotonic() - begun)

    def ended(self, limit_seconds: float = 30) -> bool:
        """Whether the other side hangs up without another byte."""
        self.socket.settimeout(limit_seconds)
        try:
            return self.unread == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _more(self) -> None:
        received = self.socket.recv(1 << 16)
        if not received:
            raise ConnectionError(f"the connection ended after {self.unread!r}")
        self.unread += received


@dataclass
class ApiProcess:
    """The process, its address, its log lines, and a key."""

    process: subprocess.Popen[bytes]
    port: int
    key: str
    settings: Settings
    engine: Engine
    log: list[str] = field(default_factory=list)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw:
            yield Connection(raw)

    def head(self, *lines: str, method: str = "POST", path: str = "/v1/orders", key: str = "") -> bytes:
        """A request's head with the key and these lines beside."""
        common = ["Host: mill", f"API-Authorization: {key or self.key}", "Content-Type: application/json"]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *common, *lines, "", ""]).encode("latin-1")

    def ask(self, *parts: bytes, limit_seconds: float = 30) -> Answer:
        """Send these bytes on a connection of their own, and give the answer."""
        with self.connected() as connection:
            connection.send(*parts)
            return connection.answer(limit_seconds)

    def get(self, path: str) -> Answer:
        return self.ask(self.head("Connection: close", method="GET", path=path))

    def post(self, body: bytes, *lines: str) -> Answer:
        """Post a body in one piece, its length said."""
        return self.ask(self.head(f"Content-Length: {len(body)}", "Connection: close", *lines), body)

    def outcomes(self, answer: Answer) -> dict[str, Any]:
        """Settle the job of a 202 as a worker does, and give its outcomes."""
        assert answer.status == 202, answer.body
        context = open_worker_context(self.settings)
        try:
            for slice_id in self._open_slices(answer.json["id"]):
                settle_slice(context, slice_id)
        finally:
            context.engine.dispose()
        found: dict[str, Any] = self.get(answer.json["links"]["results"]).json
        return found

    def _open_slices(self, job_id: str) -> list[int]:
        query = text("SELECT id FROM slices WHERE job_id = :id AND closed_at IS NULL ORDER BY id")
        with self.engine.connect() as connection:
            return [int(slice_id) for slice_id in connection.scalars(query, {"id": job_id})]

    def memory_bytes(self) -> int:
        """What the processes hold in memory now."""
        parent = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))

    def job_count(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM jobs")) or 0)


class MemoryWatch:
    """The most memory that the processes of an API held at once, looked at many times a second."""

    def __init__(self, api: ApiProcess) -> None:
        self._api = api
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most_bytes = max(self.most_bytes, self._api.memory_bytes())


@contextmanager
def open_api_process(settings: Settings, **variables: str) -> Iterator[ApiProcess]:
    """Run the API on these servers until the end of the block; ``variables`` are its further settings."""
    engine = open_database(settings, "test")
    key = create_api_key(
        engine, f"Real {utc_now().timestamp()}", ["orders:write", "orders:read"], None, None, utc_now()
    )
    with socket.socket() as listen_socket:
        listen_socket.bind(("127.0.0.1", 0))
        listen_socket.listen(128)
        port = listen_socket.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "api", "--listen-fd", str(listen_socket.fileno())],
            env={
                **os.environ,
                "DATABASE_URL": settings.database_url,
                "REDIS_URL": settings.redis_url,
                "LOG_FORMAT": "json",
                **variables,
            },
            pass_fds=[listen_socket.fileno()],
            stderr=subprocess.PIPE,
        )
    api = ApiProcess(process, port, key, settings, engine)
    reader = threading.Thread(target=_read_log, args=(api,), daemon=True)
    reader.start()
    try:
        until(partial(_is_alive, api), "the API answers", _READY_SECONDS)
        yield api
    except BaseException:
        print("\n".join(api.log[-100:]))  # noqa: T201 - pytest shows it
        raise
    finally:
        for running in (*_children(process.pid), process):
            running.kill()
        process.wait()
        reader.join(10)
        assert process.stderr is not None
        process.stderr.close()
        engine.dispose()


def _children(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _read_log(api: ApiProcess) -> None:
    assert api.process.stderr is not None
    for line in api.process.stderr:
        api.log.append(line.decode(errors="replace").rstrip("\n"))


def _is_alive(api: ApiProcess) -> bool:
    try:
        return api.get("/healthz").status == HTTPStatus.OK
    except OSError:
        return False
