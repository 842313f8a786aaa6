"""The invariants themselves: each kind of damage is seen, and a sound database is not accused."""

from __future__ import annotations

import pytest

from tests.support.invariants import broken_invariants
from tests.support.orders import line, lines, order
from tests.support.settling import settle_slice
from tests.support.worker_harness import WorkerHarness


@pytest.fixture
def worker(bare_worker: WorkerHarness) -> WorkerHarness:
    """A shop whose rows are broken by hand."""
    bare_worker.stock("BRASS-LAMP", main=3, shop=3)
    bare_worker.settle(
        {
            "split": order(line(qty=5), warehouseGroup="By warehouse", shippingValue=3),
            "forced": order(line("RED-STOOL"), forceCreate=True),
            "prepared": order(createOnly=True),
            "rejected": order(line(qty=9)),
            "mixed": order(products=lines(("BRASS-LAMP", 1), ("RED-STOOL", 2)), forceCreate=True),
        }
    )
    return bare_worker


def test_a_sound_database_violates_nothing(worker: WorkerHarness) -> None:
    assert broken_invariants(worker.engine, at_rest=True) == {}


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("UPDATE stock SET allocated = allocated - 1 WHERE warehouse_id = 1", "stock sums to the unit"),
        ("UPDATE stock SET allocated = physical + 1 WHERE warehouse_id = 1", "nothing is oversold"),
        (
            "UPDATE allocations SET quantity = quantity + 1 WHERE order_number = 1",
            "a line takes what it asks for and does not wait for",
        ),
        (
            "DELETE FROM allocations WHERE order_number = 1",
            "a line takes what it asks for and does not wait for",
        ),
        ("UPDATE order_lines SET item_id = 2 WHERE order_number = 1", "a line takes its own item"),
        ("UPDATE order_lines SET unit_price = 1", "an order comes to what its lines do"),
        (
            "UPDATE orders SET part = 2 WHERE part = 1",
            "the parts of an order count from 0 and name the first",
        ),
        (
            "UPDATE orders SET first_number = 2 WHERE number = 1",
            "the parts of an order count from 0 and name the first",
        ),
        (
            "UPDATE orders SET shipping_value = 1, grand_total = grand_total + 1 WHERE part = 1",
            "shipping is charged once",
        ),
        ("UPDATE orders SET force_create = false", "nothing waits for stock that nobody forced"),
        ("UPDATE orders SET state = 'created'", "a line takes what it asks for and does not wait for"),
        ("UPDATE slices SET ok_count = 1", "a slice counts its outcomes"),
        ("UPDATE slices SET order_count = 9", "a slice counts its outcomes"),
        (
            """UPDATE slices SET outcomes = '{"split":{"status":"ok","orders":[77]}}'""",
            "every ok number is an order of its job",
        ),
        (
            """UPDATE slices SET outcomes = '{"split":{"status":"ok","orders":[1]}}'""",
            "no order is without an outcome",
        ),
        ("UPDATE orders SET number = 99 WHERE number = 4", "no order is without an outcome"),
    ],
)
def test_each_kind_of_damage_violates_its_invariant(worker: WorkerHarness, damage: str, rule: str) -> None:
    for table in ("stock", "orders", "order_lines", "allocations"):
        worker.run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    worker.run("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold")
    worker.run(damage)

    assert rule in broken_invariants(worker.engine)


@pytest.fixture
def completed(bare_worker: WorkerHarness) -> WorkerHarness:
    """A shop with an order that was prepared, then completed in two parts, and then once more."""
    bare_worker.stock("BRASS-LAMP", main=3, shop=3)
    prepared = bare_worker.settle(
        {
            "a\0": order(line(qty=5), warehouseGroup="By warehouse", createOnly=True),
            "b": order(createOnly=True),
        }
    )
    for _ in range(2):
        [slice_id] = bare_worker.accept({str(prepared["a\0"]["order"]): {}})
        bare_worker.run("UPDATE jobs SET form = 'completion' WHERE id = :id", id=bare_worker.jobs[-1])
        assert settle_slice(bare_worker.context(), slice_id) is not None
    return bare_worker


def test_an_order_that_was_completed_in_parts_and_again_violates_nothing(completed: WorkerHarness) -> None:
    assert list(completed.outcomes().values()) == [{"status": "ok", "orders": [1, 3]}]

    assert broken_invariants(completed.engine, at_rest=True) == {}


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ("[1]", "completions of an order name it and all its parts"),
        ("[2]", "no order is without an outcome"),
        ("[1, 2]", "completions of an order name it and all its parts"),
        ("[1, 3, 77]", "every ok number is an order of its job"),
    ],
)
def test_a_completion_that_tells_of_other_orders_is_seen(
    completed: WorkerHarness, numbers: str, rule: str
) -> None:
    completed.run(
        "UPDATE slices SET outcomes = convert_to(replace(convert_from(outcomes, 'UTF8'), '[1,3]', :numbers),"
        " 'UTF8') FROM jobs WHERE jobs.id = job_id AND form = 'completion'",
        numbers=numbers,
    )

    assert rule in broken_invariants(completed.engine)
