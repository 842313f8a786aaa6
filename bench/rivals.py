"""Each rival as the scenarios use it: its own processes and database, and one way to send a batch."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from bench.ground import Ground
from bench.orders import make_orders
from bench.programs import BATCH_SECONDS, Programs, peak_bytes
from shared.settings import environment_with

START_SECONDS = 60


class Rival(ABC):
    """Something that creates orders."""

    name: str

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.database_url = ground.new_database(self.name.replace("-", "_"))

    @abstractmethod
    def run_batch(self, count: int, seed: int, *, hot: bool = False) -> float:
        """Create a batch of generated orders; gives the seconds from first byte to last order."""


class Limit(Rival):
    """Raw psycopg; see bench.peers.limit."""

    name = "limit"

    def run_batch(self, count: int, seed: int, *, hot: bool = False) -> float:
        """In a process of its own, so that nothing of ours is in its way."""
        done = subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "bench.peers.limit", self.database_url),
                *(str(count), str(seed), "hot" if hot else "spread"),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return float(done.stdout)


class CopyLimit(Rival):
    """What PostgreSQL can write at all; see bench.peers.copy_limit."""

    name = "copy-limit"

    def __init__(self, ground: Ground, source: Ordermill) -> None:
        super().__init__(ground)
        self._source = source

    def run_batch(self, count: int, seed: int, *, hot: bool = False) -> float:  # noqa: ARG002 - as all rivals
        """Write again what the batch that ordermill did last has written, whatever the seed."""
        done = subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "bench.peers.copy_limit"),
                *(self._source.database_url, self.database_url, self._source.last_job),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return float(done.stdout)


class OverHttp(Rival):
    """A rival behind HTTP."""

    path = "/orders"

    def __init__(self, ground: Ground, programs: Programs) -> None:
        super().__init__(ground)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        self._programs, self._log = programs, ground.log_dir / f"{self.name}.log"
        self.pids = [self._start(*command) for command in self.commands()]
        self.client = programs.client_of(self.url)

    def _start(self, command: list[str], environment: Mapping[str, str]) -> int:
        return self._programs.start(command, environment, self._log)

    def await_ready(self) -> None:
        """Wait until it answers; apart from the start, so that all rivals start side by side."""
        _wait_for(self.url)

    @abstractmethod
    def commands(self) -> list[tuple[list[str], Mapping[str, str]]]:
        """What to start: programs and their environments."""

    @property
    def port(self) -> str:
        """The port of its URL."""
        return self.url.rpartition(":")[2]

    def post(self, body: bytes, client: httpx.Client | None = None, **headers: str) -> httpx.Response:
        """Send a batch."""
        sent = (client or self.client).post(self.path, content=body, headers={**self.headers, **headers})
        sent.raise_for_status()
        return sent

    def run_batch(self, count: int, seed: int, *, hot: bool = False) -> float:
        """One POST, answered when all orders are there."""
        body = orjson.dumps(make_orders(count, seed, hot=hot))
        started = time.perf_counter()
        outcomes = orjson.loads(self.post(body).content)
        took = time.perf_counter() - started
        _check(outcomes, count)
        return took


class Direct(OverHttp):
    """Synchronous Flask and SQLAlchemy; see bench.peers.direct."""

    name = "direct"

    def commands(self) -> list[tuple[list[str], Mapping[str, str]]]:
        """Two gunicorn processes with threads."""
        return [
            (
                [
                    *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"),
                    *("--workers", "2", "--threads", "32", "--timeout", str(BATCH_SECONDS)),
                    f"bench.peers.direct:create_app({self.database_url!r})",
                ],
                environment_with(),
            )
        ]


class CeleryPerOrder(OverHttp):
    """A task per order, collected from Redis; see bench.peers.celery_per_order."""

    name = "celery-per-order"

    def commands(self) -> list[tuple[list[str], Mapping[str, str]]]:
        """One gunicorn process with threads, and a Celery worker of two processes."""
        redis_url = self.ground.redis_for_celery(5)
        return [
            (
                [
                    *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"),
                    *("--workers", "1", "--threads", "32", "--timeout", str(BATCH_SECONDS)),
                    f"bench.peers.celery_per_order:create_app({redis_url!r})",
                ],
                environment_with(),
            ),
            (
                [sys.executable, "-m", "bench.peers.celery_per_order", "2", redis_url, self.database_url],
                environment_with(),
            ),
        ]


class Ordermill(OverHttp):
    """ordermill itself: its API, its scheduler, and a worker of so many processes."""

    path = "/v1/orders"

    def __init__(self, ground: Ground, programs: Programs, *, worker_processes: int = 2) -> None:
        self.name = f"ordermill-{worker_processes}"
        self.worker_processes = worker_processes
        self.last_job = ""
        self.redis_url = ground.redis(6 + worker_processes)
        super().__init__(ground, programs)
        self.headers["API-Authorization"] = ground.prepare_for_ordermill(self.database_url)

    def await_ready(self) -> None:
        """Wait until its workers take messages."""
        _wait_for(self.url, "/readyz")

    def start_api(self) -> tuple[str, int]:
        """Start an API beside the other one, on the same servers; gives its URL and its process id."""
        port = str(free_port())
        pid = self._start(*self._role("api", "--port", port))
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, "/readyz")
        return url, pid

    def commands(self) -> list[tuple[list[str], Mapping[str, str]]]:
        """The roles, as compose runs them; the API first."""
        return [self._role("api", "--port", self.port), self._role("worker"), self._role("scheduler")]

    def _role(self, *words: str) -> tuple[list[str], Mapping[str, str]]:
        environment = environment_with(
            DATABASE_URL=self.database_url,
            REDIS_URL=self.redis_url,
            WORKER_PROCESSES=str(self.worker_processes),
            RATE_LIMIT_PER_MINUTE="0",
            LOG_LEVEL="WARNING",
            LOG_FORMAT="json",
        )
        return [sys.executable, "-P", "-m", "cli", *words], environment

    def run_batch(self, count: int, seed: int, *, hot: bool = False) -> float:
        """From the first byte sent to the job done, outcomes read."""
        return self.run_job(count, seed, hot=hot)[1]

    def run_job(self, count: int, seed: int, *, hot: bool = False) -> tuple[float, float]:
        """Seconds to the 202, and to the job done with its outcomes read."""
        return self.run_body(orjson.dumps(make_orders(count, seed, hot=hot)), count)

    def run_body(self, body: bytes, count: int) -> tuple[float, float]:
        """The same for a batch of ``count`` orders that is written already."""
        started = time.perf_counter()
        accepted = self.post(body, Prefer="respond-async")
        to_accepted = time.perf_counter() - started
        self.last_job = accepted.json()["id"]
        self.wait_for_job(accepted.json()["links"]["self"])
        outcomes = self.client.get(accepted.json()["links"]["results"], headers=self.headers)
        took = time.perf_counter() - started
        _check(orjson.loads(outcomes.content), count)
        return to_accepted, took

    def wait_for_job(self, path: str) -> None:
        """Ask every twentieth of a second until the job is done."""
        while not self.client.get(path, headers=self.headers).json()["done"]:
            time.sleep(0.05)

    def api_peak_bytes(self) -> int:
        """The most memory that any of the API's processes has had."""
        return peak_bytes(self.pids[0])


def _check(outcomes: Mapping[str, Any], count: int) -> None:
    ok = sum(outcome["status"] == "ok" for outcome in outcomes.values())
    if ok != count:
        bad = next((json.dumps(one) for one in outcomes.values() if one["status"] != "ok"), "nothing")
        raise RuntimeError(f"{ok} of {count} orders were created; {bad}")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, path: str = "/") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            response = httpx.get(url + path)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if path == "/" or response.is_success:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url}{path} does not answer")
