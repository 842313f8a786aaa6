"""Order numbers: explicit ones are kept, automatic ones step around them, none is given twice."""

from __future__ import annotations

import pytest

from shared.persistence.core.database import transaction
from shared.persistence.orders.insert import draw_numbers, taken_numbers
from tests.support.orders import line, order
from tests.support.worker_harness import WorkerHarness

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


def numbers(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT number FROM orders ORDER BY number")]


def test_automatic_numbers_step_around_explicit_ones_of_the_same_slice_and_of_earlier_ones(
    worker: WorkerHarness,
) -> None:
    first = worker.settle(
        {"a": order(orderNumber=2), "b": order(orderNumber="5"), "c": order(), "d": order()}
    )
    worker.run("SELECT setval('order_number_seq', 4)")
    second = worker.settle({"e": order(), "f": order(orderNumber=7.0), "g": order()})

    assert [one["orders"] for one in first.values()] == [[2], [5], [1], [3]]
    assert [one["orders"] for one in second.values()] == [[6], [7], [8]]


def test_a_number_that_exists_or_stands_earlier_in_the_batch_is_minus_five(worker: WorkerHarness) -> None:
    worker.settle({"a": order(orderNumber=77)})

    outcomes = worker.settle(
        {
            "exists": order(orderNumber=77),
            "first": order(orderNumber=78),
            "second": order(orderNumber="78"),
            "third": order(orderNumber=78.0),
        },
        per=2,
    )

    assert [one.get("code", "ok") for one in outcomes.values()] == [-5, "ok", -5, -5]
    assert outcomes["exists"]["errors"][0]["pointer"] == "/orderNumber"
    assert "77 exists" in outcomes["exists"]["msg"]
    assert "78 is used earlier in the same batch" in outcomes["second"]["msg"]


def test_a_number_of_a_rejected_order_is_free(worker: WorkerHarness) -> None:
    first = worker.settle({"a": order(line(qty=99_999), orderNumber=77)})
    second = worker.settle({"a": order(orderNumber=77)})

    assert first["a"]["code"] == -2
    assert second["a"]["orders"] == [77]


def test_numbers_are_drawn_in_strides_through_a_field_of_explicit_ones(worker: WorkerHarness) -> None:
    worker.settle({f"k{i}": order(orderNumber=i) for i in range(1, 201)})

    with transaction(worker.engine) as connection:
        drawn = list(draw_numbers(connection, 3, [202]))
        none = list(draw_numbers(connection, 0, []))
        taken = taken_numbers(connection, {1, 200, 201, 2**53})

    assert drawn == [201, 203, 204]
    assert none == []
    assert set(taken) == {1, 200}


def test_one_of_many_racing_orders_gets_an_explicit_number_and_the_others_minus_five(
    worker: WorkerHarness,
) -> None:
    # Of jobs of their own, so that nobody can know of the others.
    slice_ids = [slice_id for i in range(12) for slice_id in worker.accept({f"k{i}": order(orderNumber=77)})]

    worker.settle_racing(slice_ids)

    outcomes = [one for job in range(12) for one in worker.outcomes(job).values()]
    assert sorted(one.get("code", "ok") for one in outcomes if one["status"] == "no") == [-5] * 11
    assert numbers(worker) == [77]


def test_a_number_that_another_slice_takes_at_the_last_moment_is_drawn_anew(worker: WorkerHarness) -> None:
    # Once for the whole slice, then twice for the first order when it is redone.
    worker.fails("orders", "true", "23505", constraint="orders_pkey", times=3)

    outcomes = worker.settle({"a": order(), "b": order()})

    assert [one["status"] for one in outcomes.values()] == ["ok", "ok"]


def test_explicit_numbers_race_with_automatic_ones_and_all_orders_are_made(worker: WorkerHarness) -> None:
    explicit = [worker.accept({f"x{i}": order(orderNumber=i) for i in range(n, 161, 8)}) for n in range(1, 9)]
    automatic = [worker.accept({f"a{i}": order() for i in range(20)}) for _ in range(8)]
    slice_ids = [one for pair in zip(explicit, automatic, strict=True) for (one,) in pair]

    worker.settle_racing(slice_ids)

    outcomes = [one for job in range(16) for one in worker.outcomes(job).values()]
    assert [one for one in outcomes if one["status"] != "ok"] == []
    assert len(numbers(worker)) == 320
