"""The same while workers are killed: cancel, settle, retry and kill race in any order (contract §5)."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from sqlalchemy import text

from shared.clock import utc_now
from shared.persistence.access.rotate import rotate_api_key
from tests.support.crash_site import Site, open_site
from tests.support.invariants import broken_invariants
from tests.support.orders import order
from tests.support.raced_jobs import Customer, asking_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults

WORKERS = ("worker-1", "worker-2")
CUSTOMERS = 4
BATCHES = 4


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("stack")
    settings = {"SLICE_MAX_ORDERS": "2", "RATE_LIMIT_PER_MINUTE": "0", "SLICE_ATTEMPTS_MAX": "50"}
    roles = ("api", *WORKERS, "scheduler")
    with open_site(module_settings, module_engine, place, "", roles, **settings) as opened:
        yield opened


@contextmanager
def killing(site: Site, killed: Counter[str], most: int) -> Iterator[None]:
    """Kill tasks' processes and whole workers within the block, so many of them at most."""
    over = threading.Event()
    dice = random.Random(1)  # noqa: S311 - the same choices every time

    def kill() -> None:
        while killed.total() < most and not over.wait(dice.uniform(0.2, 0.8)):
            name = dice.choice(WORKERS)
            with suppress(psutil.NoSuchProcess):
                tasks, main = site.stack.task_processes(name), site.stack.main_process(name)
                found = main if dice.random() < 0.2 else next(iter(tasks), None)
                if found is not None:
                    found.kill()
                    killed[name] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_whoever_dies_each_key_has_one_outcome_and_is_made_once(site: Site) -> None:
    customers = [Customer(asking_server(site.client), seed) for seed in range(CUSTOMERS)]
    killed: Counter[str] = Counter()

    def live(customer: Customer) -> None:
        for _ in range(BATCHES):
            customer.send(24)

    with killing(site, killed, 100), ThreadPoolExecutor(CUSTOMERS) as pool:
        list(pool.map(live, customers))

    made: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for customer in customers:
        made.update(customer.made())
        seen.update(customer.statuses)
    assert set(made.values()) == {1}
    with site.engine.connect() as connection:
        keys = connection.execute(
            text("SELECT batch_key::jsonb #>> '{}' FROM orders WHERE part = 0")
        ).scalars()
        assert sorted(made) == sorted(keys)
    assert broken_invariants(site.engine, at_rest=True) == {}
    assert set(killed) == set(WORKERS)
    assert seen["cancelled"]
    assert seen["1 of two retries"]


def test_whoever_dies_a_file_that_several_send_at_once_makes_each_order_once(site: Site) -> None:
    further = rotate_api_key(site.engine, "Shop", utc_now())
    assert further is not None
    keys = [f"order {number}" for number in range(60)]
    files = [keys, keys[::-1], keys[20:], keys[:40], keys[::2] + keys[1::2], keys]
    killed: Counter[str] = Counter()

    def send(nth: int) -> dict[str, Any]:
        headers = {"Idempotency-Key": f"file {nth}", "Prefer": "respond-async"}
        # Half of them with another key of the same client.
        if nth % 2:
            headers["API-Authorization"] = further.text
        batch = {key: order() for key in files[nth]}
        sent = site.client.post("/v1/orders?uniqueKeys=true", json=batch, headers=headers)
        assert sent.status_code == 202, sent.text
        return site.results(sent.headers["Location"])

    with killing(site, killed, 10), ThreadPoolExecutor(len(files)) as pool:
        outcomes = list(pool.map(send, range(len(files))))

    made = {key: one["orders"] for told in outcomes for key, one in told.items() if one["status"] == "ok"}
    assert sum(one["status"] == "ok" for told in outcomes for one in told.values()) == len(made) == len(keys)
    for told in outcomes:
        assert {key: one["orders"] for key, one in told.items()} == {key: made[key] for key in told}
        assert {one["code"] for one in told.values() if one["status"] == "no"} <= {-5}
    assert broken_invariants(site.engine, at_rest=True) == {}
    assert killed
