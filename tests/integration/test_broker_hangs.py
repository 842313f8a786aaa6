"""A broker that takes connections and never answers: batches are accepted all the same, and soon."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from shared.breaker import Breaker
from shared.queue.job_queue import JobQueue, QueueAwayError
from tests.support.api import open_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

LIMIT_SECONDS = 3.0
CALLERS = 30


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A Redis that hangs: the kernel takes connections for it, and nobody reads them."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_large_batches_are_accepted_within_a_second_of_the_limit_while_the_broker_hangs(
    settings: Settings, silent_url: str
) -> None:
    batch: dict[str, Any] = {f"k{n}": {} for n in range(101)}
    took: list[float] = []
    with open_api(settings) as opened, capture_logs() as logged:
        api = opened.with_settings(
            redis_url=silent_url, redis_limit_seconds=LIMIT_SECONDS, rate_limit_per_minute=0
        )

        def post() -> None:
            begun = time.monotonic()
            assert api.post(batch, Prefer="respond-async").status_code == 202
            took.append(time.monotonic() - begun)

        threads = [threading.Thread(target=post) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        post()
        stored = api.job_count()

    assert (len(took), stored) == (CALLERS + 1, CALLERS + 1)
    # Without a breaker each waits in turn with ten others: the last ones for three times the limit.
    assert max(took) < 2 * LIMIT_SECONDS
    assert [line["event"] for line in logged].count("dispatch_away") == 1


def test_a_broker_that_is_back_is_dispatched_to_again(settings: Settings) -> None:
    now = [100.0]
    breaker = Breaker("dispatch", "accepted", lambda: now[0])
    with closing(JobQueue(settings, breaker)) as queue:
        breaker.broke("TimeoutError")
        with pytest.raises(QueueAwayError, match="has just failed"):
            queue.dispatch([1], "orders.small")
        now[0] += 60
        queue.dispatch([2], "orders.small")
        queue.dispatch([3], "orders.small")

        assert queue.waiting("orders.small") == 2
