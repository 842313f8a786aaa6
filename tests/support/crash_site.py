"""A stack on the servers of the test run, whose processes can be made to die at exact points."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from tests.support.catalog_files import load, put
from tests.support.catalogs import SMALL_CATALOG
from tests.support.job_client import await_job
from tests.support.orders import order
from tests.support.role_stack import running_role_stack
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from shared.settings import Settings
    from tests.support.role_stack import RoleStack

HEALING_SECONDS = 60
_PATIENT = {
    "SWEEP_SECONDS": "0.3",
    "REDISPATCH_FIRST_SECONDS": "1",
    "REDISPATCH_MOST_SECONDS": "4",
    "SYNC_MAX_ORDERS": "5",
    "SYNC_WAIT_SECONDS": "3",
    "SLICE_MAX_ORDERS": "4",
}


@dataclass(frozen=True)
class Site:
    """A running stack, the permits of its fault points, and a client."""

    stack: RoleStack
    engine: Engine
    permits: Path
    client: httpx.Client

    def allow(self, point: str) -> None:
        """Let a process die there, once."""
        (self.permits / point).touch()

    def has_died(self, point: str) -> bool:
        """Whether one has."""
        return not (self.permits / point).exists()

    def main_process(self) -> int:
        """The worker's Celery main process: the one that takes messages."""
        process = self.stack.main_process("worker")
        assert process is not None
        return int(process.pid)

    def post(self, batch: dict[str, Any], query: str = "", path: str = "/v1/orders") -> httpx.Response:
        """Send a batch as a client does that wants an answer: again and again under one Idempotency-Key."""
        headers = {"Idempotency-Key": str(uuid4())}

        def accepted() -> httpx.Response | None:
            try:
                answer = self.client.post(f"{path}{query}", json=batch, headers=headers)
            except httpx.TransportError:
                return None
            return answer if answer.status_code in (200, 202) else None

        answer = until(accepted, "the batch is accepted", HEALING_SECONDS, look_seconds=0.1)
        assert answer is not None
        return answer

    def results(self, path: str) -> dict[str, Any]:
        """Wait until the job is done and give its outcomes."""
        await_job(self.client, path, HEALING_SECONDS)
        outcomes: dict[str, Any] = self.client.get(f"{path}/results").raise_for_status().json()
        return outcomes

    def statuses(self, path: str) -> list[str]:
        """Wait until the job is done and give how its outcomes are, in order."""
        return [outcome["status"] for outcome in self.results(path).values()]

    def payments(self, numbers: Sequence[int]) -> int:
        """Count the payments of these orders."""
        query = text("SELECT count(*) FROM payments WHERE order_number = ANY(:numbers)")
        with self.engine.connect() as connection:
            return int(connection.execute(query, {"numbers": list(numbers)}).scalar_one())

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with self.engine.connect() as connection:
            query = text(f"SELECT count(*) FROM {table}")  # noqa: S608 - a table of ours
            return int(connection.execute(query).scalar_one())

    def attempts(self, path: str) -> int:
        """Count the attempts at the slice that took the most."""
        query = text("SELECT max(attempts) FROM slices WHERE job_id = :id")
        with self.engine.connect() as connection:
            return int(connection.execute(query, {"id": path.rpartition("/")[2]}).scalar_one())


@contextmanager
def open_site(
    settings: Settings,
    engine: Engine,
    place: Path,
    failpoints: str,
    roles: Sequence[str] = ("api", "worker", "scheduler"),
    **environment: str,
) -> Iterator[Site]:
    """Run a stack; ``{permits}`` in the points is where permits are."""
    permits = place / "permits"
    permits.mkdir()
    put(engine, SMALL_CATALOG)
    load(engine, {"items": [{"sku": "BRASS-LAMP", "stock": {"Main": 10_000, "Shop": 10_000}}]})
    key = create_api_key(engine, "Shop", ["orders:write", "orders:read"], None, None, utc_now())
    points = {"ORDERMILL_FAILPOINTS": failpoints.format(permits=permits)}
    with (
        running_role_stack(settings, place, roles, {**_PATIENT, **points, **environment}) as stack,
        httpx.Client(
            base_url=stack.url, headers={"API-Authorization": key}, timeout=30, trust_env=False
        ) as client,
    ):
        yield Site(stack, engine, permits, client)


def batch_of(orders: int) -> dict[str, Any]:
    """A batch of orders that can all be created."""
    return {f"k{number}": order() for number in range(orders)}
