"""A real scheduler, as a process of its own: it hands out what was lost, and leaves when it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from shared.domain.slicing import LARGE_QUEUE
from shared.queue.job_queue import JobQueue
from tests.support.black_hole import BlackHole
from tests.support.orders import order
from tests.support.until import until
from tests.support.worker_harness import open_worker_harness

if TYPE_CHECKING:
    from pathlib import Path

    from shared.settings import Settings

_PATIENCE_SECONDS = 30


def test_a_scheduler_hands_out_what_nobody_heard_of_and_leaves_when_told(
    settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "LOG_FORMAT": "json",
        # Whatever it waits for in between must not keep it from leaving.
        "SWEEP_SECONDS": "3600",
    }
    with (
        open_worker_harness(settings) as worker,
        closing(JobQueue(settings)) as queue,
        log.open("wb") as output,
    ):
        lost = worker.accept({f"k{i}": order() for i in range(3)}, per=1)
        with subprocess.Popen(
            [sys.executable, "-m", "cli", "scheduler"], env=environment, stdout=output, stderr=output
        ) as process:
            try:
                until(lambda: sorted(worker.queued(LARGE_QUEUE)) == lost, "what was lost is handed out")
                process.terminate()
                code = process.wait(_PATIENCE_SECONDS)
            finally:
                process.kill()
        assert queue.workers() == []

    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert code == 0
    assert events[0] == "scheduler_started"
    assert events[-1] == "stopping"


def test_a_scheduler_that_a_server_keeps_for_ever_is_replaced_and_sweeps_again(
    settings: Settings, tmp_path: Path
) -> None:
    url = make_url(settings.database_url)
    log = tmp_path / "log"
    with (
        BlackHole(f"{url.query['host']}/.s.PGSQL.5432") as hole,
        open_worker_harness(settings) as worker,
        closing(JobQueue(settings)) as queue,
        log.open("wb") as output,
    ):
        queue.leave_canary()
        way = url.set(host="127.0.0.1", port=hole.port, query={})
        environment = {
            **os.environ,
            "DATABASE_URL": way.render_as_string(hide_password=False),
            "REDIS_URL": settings.redis_url,
            "LOG_FORMAT": "json",
            "SWEEP_SECONDS": "0.2",
            "SCHEDULER_SILENCE_SECONDS": "3",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "cli", "scheduler"], env=environment, stdout=output, stderr=output
        ) as process:
            try:
                first = worker.accept({"a": order()})
                until(lambda: worker.queued(LARGE_QUEUE) == first, "it sweeps")
                # It has pinged by its second turn; until it has, it is given a minute to start.
                first += worker.accept({"again": order()})
                until(lambda: worker.queued(LARGE_QUEUE) == first, "it goes round")

                # What it has open leads nowhere from here on; a new connection would not.
                hole.lose_all()
                second = worker.accept({"b": order()})

                until(lambda: worker.queued(LARGE_QUEUE) == [*first, *second], "it sweeps again")
                process.terminate()
                assert process.wait(_PATIENCE_SECONDS) == 0
            finally:
                process.kill()

    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert "child_silent" in events
    assert events.count("scheduler_started") == 2
