"""An automatic number is never one that an order of the same batch, or of another undecided one, asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.persistence.jobs.requested_numbers import release_numbers
from tests.support.orders import line, order
from tests.support.settling import settle_slice

if TYPE_CHECKING:
    from tests.support.worker_harness import WorkerHarness

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")

MOST = 2**53 - 1


def requested(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT number FROM requested_numbers ORDER BY number")]


def settle(worker: WorkerHarness, slice_ids: list[int]) -> None:
    context = worker.context()
    for slice_id in slice_ids:
        settle_slice(context, slice_id)


def test_an_automatic_number_is_none_that_another_slice_of_the_same_batch_asks_for(
    worker: WorkerHarness,
) -> None:
    batch = {"a": order(), "b": order(), "x": order(orderNumber=1), "y": order(orderNumber="3"), "c": order()}

    outcomes = worker.settle(batch, per=1)

    assert {key: one.get("orders") for key, one in outcomes.items()} == {
        "a": [2],
        "b": [4],
        "x": [1],
        "y": [3],
        "c": [5],
    }


def test_whatever_slice_is_decided_first(worker: WorkerHarness) -> None:
    keys = {f"a{n}": order() for n in range(20)} | {f"x{n}": order(orderNumber=n) for n in range(1, 21)}
    slice_ids = worker.accept(keys, per=5)

    worker.settle_racing(slice_ids[::-1])

    outcomes = worker.outcomes(0)
    assert [one["status"] for one in outcomes.values()] == ["ok"] * 40
    assert [outcomes[f"x{n}"]["orders"] for n in range(1, 21)] == [[n] for n in range(1, 21)]


def test_an_order_that_comes_in_while_others_are_loaded_takes_none_of_their_numbers(
    worker: WorkerHarness,
) -> None:
    old = worker.accept({f"x{n}": order(orderNumber=n) for n in range(1, 31)}, per=10)

    single = worker.settle({"new": order()})
    settle(worker, old)

    assert single["new"]["orders"] == [31]
    assert {one["status"] for one in worker.outcomes(0).values()} == {"ok"}


def test_a_number_far_away_moves_no_automatic_one(worker: WorkerHarness) -> None:
    first = worker.settle({"far": order(orderNumber=MOST), "a": order()}, per=1)
    second = worker.settle({"b": order()})

    assert (first["far"]["orders"], first["a"]["orders"], second["b"]["orders"]) == ([MOST], [1], [2])


def test_numbers_are_kept_for_undecided_orders_alone(worker: WorkerHarness) -> None:
    slice_ids = worker.accept({"x": order(line(qty=99_999), orderNumber=1), "y": order(orderNumber=2)}, per=1)
    undecided = worker.accept({"x": order(orderNumber=3), "y": order()}, per=1)

    assert release_numbers(worker.engine, 10) == 0
    settle(worker, slice_ids)
    released = [release_numbers(worker.engine, 1) for _ in range(3)]

    assert released == [1, 1, 0]
    assert requested(worker) == [3]
    # What was rejected has no number, and so another one may have it.
    assert worker.settle({"z": order()})["z"]["orders"] == [1]
    settle(worker, undecided)
    assert worker.outcomes(1)["x"]["orders"] == [3]


def test_a_dry_run_keeps_no_number_from_others(worker: WorkerHarness) -> None:
    worker.accept({"x": order(orderNumber=1), "y": order(orderNumber=2)}, ordered=True, dry_run=True)

    assert requested(worker) == []
    assert worker.settle({"a": order()})["a"]["orders"] == [1]
