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
from tests.support.mill import Mill, open_mill
from tests.support.real_api import RealDoor, open_real_door
from tests.support.settling import settle_slice
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = {
    "address": {"email": "asa@example.com", "country": "SE"},
    "products": [{"sku": "BRASS-LAMP", "qty": 1}],
}
NUMBER_OF_ORDERS = 5
# Where the tests run in the background, SIGINT is ignored, and what they start inherits that.
PROGRAM = """
import signal
from cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as opened:
        opened.stock("BRASS-LAMP", main=100)
        yield opened


@pytest.fixture
def door(mill: Mill) -> Iterator[RealDoor]:
    with open_real_door(mill.settings) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({f"k{number}": ORDER for number in range(NUMBER_OF_ORDERS)}))
    return path


@contextmanager
def submitting(door: RealDoor, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run `ordermill submit` beside the block."""
    address = {"ORDERMILL_URL": f"http://127.0.0.1:{door.port}", "ORDERMILL_API_KEY": door.key}
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


def stop_before_the_answer(door: RealDoor, file: Path) -> str:
    """Ctrl-C as soon as the batch is stored, while its outcomes are waited for; what was said meanwhile."""
    with submitting(door, str(file)) as process:
        until(lambda: door.job_count() == 1)
        process.send_signal(signal.SIGINT)
        written, said = process.communicate(timeout=60)
    assert (written, process.returncode) == ("", 2), said
    return said


def settle_all(mill: Mill) -> None:
    """Decide whatever is undecided, as workers do."""
    context = mill.context()
    for (slice_id,) in mill.rows("SELECT id FROM slices WHERE closed_at IS NULL ORDER BY id"):
        settle_slice(context, slice_id)


def test_the_same_command_after_ctrl_c_gives_the_outcomes_and_makes_every_order_once(
    mill: Mill, door: RealDoor, file: Path
) -> None:
    stopped = stop_before_the_answer(door, file)

    with submitting(door, str(file)) as again:
        settle_all(mill)
        written, said = again.communicate(timeout=60)

    outcomes = json.loads(written)
    numbers = [number for outcome in outcomes.values() for number in outcome["orders"]]
    [(job_id,)] = mill.rows("SELECT id FROM jobs")
    assert list(outcomes) == [f"k{number}" for number in range(NUMBER_OF_ORDERS)]
    assert sorted(numbers) == [number for (number,) in mill.rows("SELECT number FROM orders ORDER BY number")]
    assert len(numbers) == mill.allocated("BRASS-LAMP") == NUMBER_OF_ORDERS
    assert again.returncode == 0
    assert "The same command again finds its job" in stopped
    assert stopped.splitlines()[0] == said.splitlines()[0]
    assert re.match(r"Idempotency-Key: submit-[0-9a-f]{64}\nJob: ", said)
    assert f"Job: {job_id}\nThe batch was handed in before" in said


def test_again_makes_a_second_job_with_every_order_once_more(mill: Mill, door: RealDoor, file: Path) -> None:
    stop_before_the_answer(door, file)

    with submitting(door, str(file), "--again", "--no-wait") as second:
        written, said = second.communicate(timeout=60)
    settle_all(mill)

    assert (second.returncode, door.job_count()) == (0, 2)
    assert mill.rows("SELECT count(*) FROM jobs WHERE id = :id", id=written.strip()) == [(1,)]
    assert "handed in before" not in said
    assert mill.allocated("BRASS-LAMP") == 2 * NUMBER_OF_ORDERS


def test_an_expired_job_is_told_with_the_way_to_a_new_one(mill: Mill, door: RealDoor, file: Path) -> None:
    stop_before_the_answer(door, file)
    settle_all(mill)
    mill.run("UPDATE jobs SET expires_at = now() - interval '1 day'")
    mill.run("UPDATE slices SET closed_at = closed_at - interval '60 days'")

    with submitting(door, str(file)) as again:
        written, said = again.communicate(timeout=60)

    assert (written, again.returncode, door.job_count()) == ("", 2, 1)
    assert "The job has expired" in said
    assert "--again makes a new one, with every order once more" in said
