"""A process dies at one exact point of a batch's way, once; then every key has exactly one outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from shared.clock import utc_now
from shared.fault_points import POINTS
from shared.persistence.api_keys import create_api_key
from tests.faults.checks import broken_promises
from tests.faults.mill import running_mill
from tests.integration.catalog_files import load
from tests.integration.placed_orders import ADDRESS, CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from shared.settings import Settings
    from tests.faults.mill import Mill

HEALING_SECONDS = 60
# A worker that dies with a slice in its hand: the attempt stays counted, and another one follows.
DIES_WITH_THE_SLICE = {"after-take", "after-claim", "after-write"}


@dataclass(frozen=True)
class Site:
    """A running mill, the permits of its fault points, and a client."""

    mill: Mill
    engine: Engine
    permits: Path
    client: httpx.Client

    def allow(self, point: str) -> None:
        """Let a process die there, once."""
        (self.permits / point).touch()

    def has_died(self, point: str) -> bool:
        return not (self.permits / point).exists()

    def post(self, batch: dict[str, Any]) -> httpx.Response:
        """Send a batch as a client does that wants an answer: again and again under one Idempotency-Key."""
        headers = {"Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + HEALING_SECONDS
        while True:
            assert time.monotonic() < deadline
            try:
                answer = self.client.post("/v1/orders", json=batch, headers=headers)
            except httpx.TransportError:
                continue
            if answer.status_code in (200, 202):
                return answer
            time.sleep(0.2)

    def results(self, path: str) -> dict[str, Any]:
        """Wait until the job is done and give its outcomes."""
        deadline = time.monotonic() + HEALING_SECONDS
        while not (job := self.client.get(path).raise_for_status().json())["done"]:
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        outcomes: dict[str, Any] = self.client.get(f"{path}/results").raise_for_status().json()
        return outcomes

    def attempts(self, path: str) -> int:
        query = text("SELECT max(attempts) FROM slices WHERE job_id = :id")
        with self.engine.connect() as connection:
            return int(connection.execute(query, {"id": path.rpartition("/")[2]}).scalar_one())


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    permits = tmp_path_factory.mktemp("permits")
    load(module_engine, CATALOG)
    load(module_engine, {"items": [{"sku": "BRASS-LAMP", "stock": {"Main": 10_000, "Shop": 10_000}}]})
    key = create_api_key(module_engine, "Shop", ["orders:write", "orders:read"], None, None, utc_now())
    environment = {
        "ORDERMILL_FAULT_POINTS": ",".join(f"{point}:die:{permits / point}" for point in POINTS),
        "SWEEP_SECONDS": "0.3",
        "REDISPATCH_FIRST_SECONDS": "1",
        "REDISPATCH_MOST_SECONDS": "4",
        "SYNC_MAX_ORDERS": "5",
        "SYNC_WAIT_SECONDS": "3",
        "SLICE_MAX_ORDERS": "4",
    }
    roles = ("api", "worker", "scheduler")
    with running_mill(module_settings, tmp_path_factory.mktemp("mill"), roles, environment) as mill:
        headers = {"API-Authorization": key}
        with httpx.Client(base_url=mill.url, headers=headers, timeout=30, trust_env=False) as client:
            yield Site(mill, module_engine, permits, client)


def batch_of(orders: int) -> dict[str, Any]:
    one = {"address": ADDRESS, "products": [{"sku": "BRASS-LAMP", "qty": 1}]}
    return {f"k{number}": one for number in range(orders)}


@pytest.mark.parametrize("orders", [3, 10])
@pytest.mark.parametrize("point", [point for point in POINTS if point != "after-due"])
def test_a_process_that_dies_there_costs_nothing(site: Site, point: str, orders: int) -> None:
    batch = batch_of(orders)
    site.allow(point)

    path = site.post(batch).headers["Location"]
    outcomes = site.results(path)

    assert site.has_died(point)
    assert list(outcomes) == list(batch)
    assert {outcome["status"] for outcome in outcomes.values()} == {"ok"}
    assert (site.attempts(path) > 1) == (point in DIES_WITH_THE_SLICE)
    assert broken_promises(site.engine) == []


def test_a_scheduler_that_dies_with_due_slices_in_its_hand_costs_nothing(site: Site) -> None:
    # The API's message is never sent, so only the scheduler can bring the slices to a worker.
    site.allow("after-promise")
    site.allow("after-due")

    outcomes = site.results(site.post(batch_of(3)).headers["Location"])

    assert site.has_died("after-promise")
    assert site.has_died("after-due")
    assert {outcome["status"] for outcome in outcomes.values()} == {"ok"}
    assert broken_promises(site.engine) == []
