"""Messages that are quarantined are out of everybody's way, kept for a while, and dispatched anew."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis
from fakeredis import TcpFakeServer

from shared.queue.job_queue import KEY_PREFIX, JobQueue, QueueAwayError
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def settings() -> Iterator[Settings]:
    server = TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Settings(redis_url=f"redis://127.0.0.1:{server.server_address[1]}/0")
    server.shutdown()
    server.server_close()


def test_queues_of_every_priority_and_what_is_in_hand_are_quarantined(settings: Settings) -> None:
    with closing(JobQueue(settings)) as queue, redis.Redis.from_url(settings.redis_url) as client:
        queue.leave_canary()
        queue.dispatch([1, 2], "orders.small")
        client.rpush(f"{KEY_PREFIX}orders.large\x06\x163", "one")
        client.hset(f"{KEY_PREFIX}unacked", "tag", "two")
        queue.beat("worker@mill")

        kept = queue.quarantine()

        assert sorted(name.split(":", 3)[3] for name in kept) == [
            "orders.large\x06\x163",
            "orders.small",
            "unacked",
        ]
        assert all(0 < client.ttl(name) <= 7 * 24 * 3600 for name in kept)
        assert queue.waiting("orders.small") == 0
        assert not queue.has_canary()
        assert queue.workers() == ["worker@mill"]


def test_there_may_be_nothing_to_quarantine(settings: Settings) -> None:
    with closing(JobQueue(settings)) as queue:
        assert queue.quarantine() == []


def test_a_broker_that_is_away_is_told() -> None:
    with (
        closing(JobQueue(Settings(redis_url="redis://127.0.0.1:1/0"))) as queue,
        pytest.raises(QueueAwayError),
    ):
        queue.quarantine()
