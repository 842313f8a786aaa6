"""`ordermill submit`, stopped by hand before the answer, and the same command again, over a real API."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from shared.settings import Settings
from tests.support.api_process import ApiProcess, open_api_process
from tests.support.orders import order
from tests.support.settling import settle_slice
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness, open_worker_harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER_OF_ORDERS = 5
# Where the tests run in the background, SIGINT is ignored, and what they start inherits that.
PROGRAM = """
import signal
from cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.fixture
def worker(settings: Settings) -> Iterator[WorkerHarness]:
    with open_worker_harness(settings) as opened:
        opened.stock("BRASS-LAMP", main=100)
        yield opened


@pytest.fixture
def api(worker: WorkerHarness) -> Iterator[ApiProcess]:
    with open_api_process(worker.settings) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({f"k{number}": order() for number in range(NUMBER_OF_ORDERS)}))
    return path


@contextmanager
def submitting(api: ApiProcess, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run `ordermill submit` beside the block."""
    address = {"ORDERMILL_URL": f"http://127.0.0.1:{api.port}", "ORDERMILL_API_KEY": api.key}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "submit", *words],
        env={**os.environ, **address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stop_before_the_answer(api: ApiProcess, file: Path) -> str:
    """Ctrl-C as soon as the batch is stored, while its outcomes are waited for; what was said meanwhile."""
    with submitting(api, str(file)) as process:
        until(lambda: api.job_count() == 1)
        process.send_signal(signal.SIGINT)
        written, said = process.communicate(timeout=60)
    assert (written, process.returncode) == ("", 2), said
    return said


def settle_all(worker: WorkerHarness) -> None:
    """Decide whatever is undecided, as workers do."""
    context = worker.context()
    for (slice_id,) in worker.rows("SELECT id FROM slices WHERE closed_at IS NULL ORDER BY id"):
        settle_slice(context, slice_id)


def test_the_same_command_after_ctrl_c_gives_the_outcomes_and_makes_every_order_once(
    worker: WorkerHarness, api: ApiProcess, file: Path
) -> None:
    stopped = stop_before_the_answer(api, file)

    with submitting(api, str(file)) as again:
        settle_all(worker)
        written, said = again.communicate(timeout=60)

    outcomes = json.loads(written)
    numbers = [number for outcome in outcomes.values() for number in outcome["orders"]]
    [(job_id,)] = worker.rows("SELECT id FROM jobs")
    assert list(outcomes) == [f"k{number}" for number in range(NUMBER_OF_ORDERS)]
    assert sorted(numbers) == [
        number for (number,) in worker.rows("SELECT number FROM orders ORDER BY number")
    ]
    assert len(numbers) == worker.allocated("BRASS-LAMP") == NUMBER_OF_ORDERS
    assert again.returncode == 0
    assert "The same command again finds its job" in stopped
    assert stopped.splitlines()[0] == said.splitlines()[0]
    assert re.match(r"Idempotency-Key: submit-[0-9a-f]{64}\nJob: ", said)
    assert f"Job: {job_id}\nThe batch was handed in before" in said


def test_again_makes_a_second_job_with_every_order_once_more(
    worker: WorkerHarness, api: ApiProcess, file: Path
) -> None:
    stop_before_the_answer(api, file)

    with submitting(api, str(file), "--again", "--no-wait") as second:
        written, said = second.communicate(timeout=60)
    settle_all(worker)

    assert (second.returncode, api.job_count()) == (0, 2)
    assert worker.rows("SELECT count(*) FROM jobs WHERE id = :id", id=written.strip()) == [(1,)]
    assert "handed in before" not in said
    assert worker.allocated("BRASS-LAMP") == 2 * NUMBER_OF_ORDERS


def test_an_expired_job_is_told_with_the_way_to_a_new_one(
    worker: WorkerHarness, api: ApiProcess, file: Path
) -> None:
    stop_before_the_answer(api, file)
    settle_all(worker)
    worker.run(
        "UPDATE jobs SET expires_at = now() - interval '1 day',"
        " finished_at = finished_at - interval '60 days'"
    )
    worker.run("UPDATE slices SET closed_at = closed_at - interval '60 days'")

    with submitting(api, str(file)) as again:
        written, said = again.communicate(timeout=60)

    assert (written, again.returncode, api.job_count()) == ("", 2, 1)
    assert "The job has expired" in said
    assert "--again makes a new one, with every order once more" in said
