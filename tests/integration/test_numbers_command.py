"""ordermill numbers, against the real PostgreSQL: where automatic order numbers go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from shared.domain.order import MOST_NUMBER
from tests.support.orders import order

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings
    from tests.support.worker_harness import WorkerHarness

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


@pytest.fixture
def numbers(settings: Settings) -> Callable[..., Result]:
    runner = CliRunner(env={"DATABASE_URL": settings.database_url})
    return lambda *words: runner.invoke(main, ["numbers", *words])


def placed(worker: WorkerHarness, **members: Any) -> list[int]:
    numbers: list[int] = worker.settle({"a": order(**members)})["a"]["orders"]
    return numbers


def test_automatic_numbers_start_where_they_are_told_to(
    numbers: Callable[..., Result], worker: WorkerHarness
) -> None:
    assert placed(worker) == [1]

    done = numbers("start-at", "5000")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "Automatic order numbers go on at 5000 (before: 2).\n"
    assert numbers("next").stdout == "5000\n"
    assert [placed(worker), placed(worker)] == [[5000], [5001]]


def test_the_next_number_is_shown_before_any_order_and_after(
    numbers: Callable[..., Result], worker: WorkerHarness
) -> None:
    assert json.loads(numbers("next", "--json").stdout) == {"next": 1}

    placed(worker)

    assert json.loads(numbers("next", "--json").stdout) == {"next": 2}


def test_nothing_goes_backwards_unless_it_is_said(
    numbers: Callable[..., Result], worker: WorkerHarness
) -> None:
    for _ in range(3):
        placed(worker)

    refused = numbers("start-at", "2")
    assert refused.exit_code == 2
    assert "The next automatic number is 4, and 2 lies before it; nothing is changed." in refused.stderr
    assert "2 orders have numbers from 2 on" in refused.stderr
    assert "--backwards" in refused.stderr
    assert numbers("next").stdout == "4\n"

    done = numbers("start-at", "2", "--backwards", "--json")
    assert json.loads(done.stdout) == {"next": 2, "before": 4, "taken": 2}
    # What is used is stepped around.
    assert placed(worker) == [4]


def test_where_numbers_go_on_already_nothing_is_changed(
    numbers: Callable[..., Result], worker: WorkerHarness
) -> None:
    placed(worker, orderNumber=9)

    done = numbers("start-at", "1")

    assert done.exit_code == 0
    assert done.stderr == (
        "Automatic order numbers go on at 1 as they did.\n"
        "1 order has a number from 1 on; automatic ones step around them.\n"
    )


@pytest.mark.parametrize("wrong", ["0", "-3", "x", "1.5", str(MOST_NUMBER + 1), ""])
def test_what_is_no_order_number_is_refused_with_what_is_one(
    numbers: Callable[..., Result], wrong: str
) -> None:
    done = numbers("start-at", "--", wrong)

    assert done.exit_code == 2
    assert "N" in done.stderr
    assert numbers("next").stdout == "1\n"
