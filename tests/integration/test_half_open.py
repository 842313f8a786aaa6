"""A connection to Redis that leads nowhere any more, and says nothing of it."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.queue.job_queue import JobQueue
from tests.support.black_hole import BlackHole
from tests.support.crash_site import batch_of
from tests.support.placed_orders import Shop
from tests.support.role_stack import running_role_stack
from tests.support.until import pause, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.settings import Settings

pytestmark = pytest.mark.faults

HEALING_SECONDS = 60


def accept(shop: Shop) -> list[int]:
    path = shop.api.post(batch_of(2), Prefer="respond-async").headers["Location"]
    return [slice_id for slice_id, _, _ in shop.api.open_slices(path.rpartition("/")[2])]


def await_decided(shop: Shop, slice_ids: list[int], settings: Settings) -> None:
    """Dispatch them every second, past the black hole, until they are decided."""
    with closing(JobQueue(settings)) as queue:

        def are_decided() -> bool:
            left = [slice_id for slice_id, _, _ in shop.api.open_slices() if slice_id in slice_ids]
            queue.dispatch(left, "orders.small")
            return not left

        until(are_decided, "all slices are decided", HEALING_SECONDS, look_seconds=1)


@pytest.fixture
def hole(settings: Settings) -> Iterator[BlackHole]:
    found = re.fullmatch(r"unix://(?P<path>[^?]+)\?db=\d+", settings.redis_url)
    assert found, settings.redis_url
    with BlackHole(found["path"]) as made:
        yield made


def through(settings: Settings, hole: BlackHole) -> Settings:
    number = settings.redis_url.rpartition("=")[2]
    return replace(settings, redis_url=f"redis://127.0.0.1:{hole.port}/{number}", redis_limit_seconds=2.0)


def test_an_idle_worker_whose_connection_leads_nowhere_is_replaced(
    shop: Shop, settings: Settings, hole: BlackHole, tmp_path: Path
) -> None:
    limits = {"WORKER_SILENCE_SECONDS": "2", "REDIS_LIMIT_SECONDS": "2"}
    with running_role_stack(through(settings, hole), tmp_path, ["worker"], limits) as stack:
        await_decided(shop, accept(shop), settings)
        process = stack.main_process("worker")
        assert process is not None

        # Ten seconds after its start Celery looks after messages that nobody acknowledged, and notices by
        # chance; after that it does so every hundred seconds.
        pause(11, "Celery has looked")
        assert hole.lose_all() > 0

        # What is fetched over the dead connection is lost: it takes a sweeper, which is us here.
        pause(2, "the worker is silent for as long as it may")
        await_decided(shop, accept(shop), settings)
        after = stack.main_process("worker")
        assert after is not None
        assert after.pid != process.pid


def test_a_batch_is_accepted_in_time_when_the_way_to_the_queue_leads_nowhere(
    shop: Shop, settings: Settings, hole: BlackHole
) -> None:
    api = shop.api.with_settings(redis_url=through(settings, hole).redis_url, redis_limit_seconds=2.0)
    assert api.post(batch_of(1), Prefer="respond-async").status_code == 202
    begun = time.monotonic()

    hole.lose_all()
    answer = api.post(batch_of(1), Prefer="respond-async")

    assert answer.status_code == 202
    assert time.monotonic() - begun < 15
