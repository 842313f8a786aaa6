"""A real scheduler, as a process of its own: it hands out what was lost, and leaves when it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from shared.domain.slicing import LARGE_QUEUE
from shared.job_queue import JobQueue
from tests.integration.mill import open_mill, order
from tests.until import until

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
    with open_mill(settings) as mill, closing(JobQueue(settings)) as queue, log.open("wb") as output:
        lost = mill.promise({f"k{i}": order() for i in range(3)}, per=1)
        with subprocess.Popen(
            [sys.executable, "-m", "cli", "scheduler"], env=environment, stdout=output, stderr=output
        ) as process:
            try:
                until(lambda: sorted(mill.queued(LARGE_QUEUE)) == lost, "what was lost is handed out")
                process.terminate()
                code = process.wait(_PATIENCE_SECONDS)
            finally:
                process.kill()
        assert queue.workers() == []

    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert code == 0
    assert events[0] == "scheduler_started"
    assert events[-1] == "stopping"
