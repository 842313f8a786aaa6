"""Workers that die of a message, or live and take none: the stack notices by itself and goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, cast

import pytest
import redis

from tests.support.crash_site import HEALING_SECONDS, Site, batch_of, open_site
from tests.support.invariants import broken_invariants
from tests.support.queue_messages import harmless, poison_messages, push
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("stack")
    # The least that they may be.
    limits = {"WORKER_SILENCE_SECONDS": "2", "TASK_LIMIT_SECONDS": "5"}
    with open_site(module_settings, module_engine, place, "", **limits) as opened:
        yield opened


@pytest.fixture
def client(module_settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(module_settings.redis_url) as made:
        yield made


def settles(site: Site, orders: int = 3) -> None:
    assert site.statuses(site.post(batch_of(orders)).headers["Location"]) == ["ok"] * orders
    assert broken_invariants(site.engine, at_rest=True) == {}


def await_new_main_process(site: Site, before: int) -> None:
    def is_there() -> bool:
        found = site.stack.main_process("worker")
        return found is not None and found.pid != before

    until(is_there, "the worker has a new main process", HEALING_SECONDS)


def test_messages_that_nobody_understands_end_no_worker(site: Site, client: redis.Redis) -> None:
    settles(site)
    before = site.main_process()

    for queue in ("orders.small", "orders.large"):
        push(client, f"ordermill:{queue}", list(harmless().values()))
    settles(site)
    settles(site, orders=10)

    assert site.main_process() == before


def test_a_worker_that_is_stopped_is_replaced(site: Site) -> None:
    settles(site)
    process = site.stack.main_process("worker")
    assert process is not None

    process.send_signal(signal.SIGSTOP)

    await_new_main_process(site, process.pid)
    settles(site)


def test_a_worker_whose_task_processes_are_stopped_is_replaced(site: Site) -> None:
    settles(site)
    before = site.main_process()

    for process in site.stack.task_processes("worker"):
        process.send_signal(signal.SIGSTOP)
    path = site.post(batch_of(10)).headers["Location"]

    await_new_main_process(site, before)
    assert site.statuses(path) == ["ok"] * 10


def test_messages_that_end_every_worker_are_quarantined(site: Site, client: redis.Redis) -> None:
    settles(site)
    before = site.main_process()

    push(client, "ordermill:orders.small", list(poison_messages().values()))
    await_new_main_process(site, before)
    settles(site)
    settles(site, orders=10)

    aside = list(client.scan_iter("ordermill:set-aside:*"))
    assert aside
    assert all(0 < cast("int", client.ttl(key)) <= 7 * 24 * 3600 for key in aside)
