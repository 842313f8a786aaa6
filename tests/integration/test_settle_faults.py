"""Delivered twice, failing, cut off: a slice gives one set of orders, or none yet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest

from shared.domain.parsed import Parsed
from shared.schemas.order.reading import OrderReader
from tests.support.orders import line, lines, order
from tests.support.settling import LeftError, settle_slice
from tests.support.worker_harness import WorkerHarness


def test_a_slice_that_is_delivered_twice_makes_one_set_of_orders(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    context = worker.context()
    (slice_id,) = worker.accept({"a": order(), "b": order()})

    first = settle_slice(context, slice_id)
    before = worker.outcomes()
    second = settle_slice(context, slice_id)

    assert first is not None
    assert (first.orders, first.ok) == (2, 2)
    assert second is None
    assert worker.outcomes() == before
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (2, 2)


def test_a_slice_that_does_not_exist_is_nothing_to_do(worker: WorkerHarness) -> None:
    assert settle_slice(worker.context(), 4711) is None


def test_a_slice_in_two_workers_hands_at_once_makes_one_set_of_orders(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1000)
    slice_ids = worker.accept({f"k{i}": order() for i in range(200)}, per=10)
    together = Barrier(4)

    def deliver(_: int) -> int:
        context = worker.context()
        done = 0
        for slice_id in slice_ids:
            together.wait(30)
            done += settle_slice(context, slice_id) is not None
        return done

    with ThreadPoolExecutor(4) as pool:
        settled = sum(pool.map(deliver, range(4)))

    assert settled == 20
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (200, 200)
    assert len(worker.outcomes()) == 200


def test_an_order_that_exists_already_is_never_made_again_nor_rejected(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    context = worker.context()
    (slice_id,) = worker.accept({"a": order()})
    settle_slice(context, slice_id)
    # As if the row that guards the slice had been lost.
    worker.run("UPDATE slices SET closed_at = NULL, outcomes = NULL, ok_count = NULL")

    with pytest.raises(LeftError, match="UniqueViolation"):
        settle_slice(context, slice_id)

    assert (worker.count("orders"), worker.allocated("BRASS-LAMP"), worker.outcomes()) == (1, 1, {})
    # So that what is left can be held against the invariants.
    worker.run("TRUNCATE allocations, order_lines, orders, jobs CASCADE; UPDATE stock SET allocated = 0")


def test_a_poisonous_order_costs_only_itself(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.stock("POISON-CUP", main=10)
    worker.fails("order_lines", "NEW.sku = 'POISON-CUP'", "22000")

    outcomes = worker.settle(
        {
            "a": order(),
            "bad": order(products=lines(("BRASS-LAMP", 1), ("POISON-CUP", 1)), customerRegister=True),
            "b": order(customerRegister=True),
        }
    )

    assert {key: one["status"] for key, one in outcomes.items()} == {"a": "ok", "bad": "no", "b": "ok"}
    assert outcomes["bad"]["code"] == -7
    assert outcomes["bad"]["msg"] == "the order could not be stored; tell us the request id r-1"
    assert (worker.allocated("BRASS-LAMP"), worker.allocated("POISON-CUP"), worker.count("customers")) == (
        2,
        0,
        2,
    )


def test_an_order_that_no_code_foresaw_costs_only_itself(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    # An account whose address is none: looking it up raises what nobody translates.
    worker.run('INSERT INTO accounts (name, address) VALUES (\'Broken\', \'{"country": "SE", "email": 5}\')')

    outcomes = worker.settle(
        {
            "a": order(),
            "bad": {"accountId": 1, "products": lines(("BRASS-LAMP", 1)), "customerRegister": True},
            "b": order(),
        },
    )

    assert [one["status"] for one in outcomes.values()] == ["ok", "no", "ok"]
    assert outcomes["bad"]["code"] == -7


def test_an_order_that_our_own_reading_fails_at_costs_only_itself(
    worker: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.stock("BRASS-LAMP", main=10)
    read = OrderReader.read

    def stumbles(reader: OrderReader, raw: bytes | msgspec.Raw) -> Parsed:
        if b"STUMBLE" in bytes(raw):
            raise RuntimeError("nobody thought of this")
        return read(reader, raw)

    monkeypatch.setattr(OrderReader, "read", stumbles)
    outcomes = worker.settle({"a": order(), "bad": order(comment="STUMBLE"), "b": order()})

    assert [one["status"] for one in outcomes.values()] == ["ok", "no", "ok"]
    assert (outcomes["bad"]["code"], "request id r-1" in outcomes["bad"]["msg"]) == (-7, True)
    (line,) = (line for line in worker.logged if line["event"] == "order_not_read")
    assert line["exc_info"]
    assert "STUMBLE" not in str(line)


def test_an_automatic_number_costs_no_order_its_outcome_however_often_it_is_taken(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.fails("orders", "true", "23505", constraint="orders_pkey")
    (slice_id,) = worker.accept({"a": order(), "b": order()})

    with pytest.raises(LeftError, match="order number"):
        settle_slice(worker.context(slice_tries_max=2), slice_id)
    assert worker.rows("SELECT closed_at, attempts FROM slices") == [(None, 0)]

    worker.run("DROP TRIGGER fail ON orders")
    assert settle_slice(worker.context(), slice_id) is not None
    assert [one["status"] for one in worker.outcomes().values()] == ["ok", "ok"]


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03"], ids=["deadlock", "serialization", "lock"])
def test_a_fault_that_passes_is_tried_again_and_never_shown(worker: WorkerHarness, sqlstate: str) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.fails("orders", "true", sqlstate, times=2)

    outcomes = worker.settle({"a": order(), "b": order()})

    assert [one["status"] for one in outcomes.values()] == ["ok", "ok"]
    assert worker.rows("SELECT attempts FROM slices") == [(1,)]


@pytest.mark.parametrize(
    "sqlstate", ["42703", "42501", "XX000", "58030", "53000", "53100", "53400", "25006", "0A000"]
)
def test_a_fault_of_the_server_rejects_no_order(worker: WorkerHarness, sqlstate: str) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.fails("orders", "true", sqlstate)
    (slice_id,) = worker.accept({"a": order(), "b": order()})

    with pytest.raises(LeftError, match=sqlstate):
        settle_slice(worker.context(), slice_id)
    assert worker.rows("SELECT closed_at, attempts FROM slices") == [(None, 0)]

    worker.run("DROP TRIGGER fail ON orders")
    assert settle_slice(worker.context(), slice_id) is not None
    assert [one["status"] for one in worker.outcomes().values()] == ["ok", "ok"]


def test_a_fault_that_passes_is_tried_again_while_orders_are_redone_one_by_one(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.stock("POISON-CUP", main=10)
    worker.fails("order_lines", "NEW.sku = 'POISON-CUP'", "22000", times=1)
    worker.run(
        "CREATE SEQUENCE later;"
        "CREATE FUNCTION fail_later() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF nextval('later') = 3 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER fail_later BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fail_later()"
    )

    outcomes = worker.settle({"a": order(), "cup": order(line("POISON-CUP"))})

    assert [one["status"] for one in outcomes.values()] == ["ok", "ok"]


def test_a_fault_that_does_not_pass_in_time_leaves_the_slice_undecided_and_nothing_of_it(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.fails("allocations", "true", "40P01", times=2)
    (slice_id,) = worker.accept({"a": order(customerRegister=True)})

    with pytest.raises(LeftError, match="DeadlockDetected"):
        settle_slice(worker.context(slice_tries_max=2), slice_id)

    assert worker.rows("SELECT closed_at, attempts FROM slices") == [(None, 0)]
    assert [worker.count(table) for table in ("orders", "order_lines", "allocations", "customers")] == [0] * 4
    assert worker.allocated("BRASS-LAMP") == 0

    assert settle_slice(worker.context(), slice_id) is not None
    assert worker.outcomes()["a"]["status"] == "ok"


def test_a_worker_that_loses_its_connection_before_the_commit_leaves_nothing(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    (slice_id,) = worker.accept({"a": order()})
    worker.run(
        "CREATE SEQUENCE cuts;"
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER cut BEFORE UPDATE OF outcomes ON slices FOR EACH ROW EXECUTE FUNCTION cut()"
    )

    with pytest.raises(LeftError, match="cannot be reached"):
        settle_slice(worker.context(slice_tries_max=1, task_limit_seconds=0), slice_id)
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP"), worker.outcomes()) == (0, 0, {})

    assert settle_slice(worker.context(), slice_id) is not None
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (1, 1)


def test_a_connection_that_is_lost_is_replaced_and_the_slice_settled(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    worker.run(
        "CREATE SEQUENCE cuts;"
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF nextval('cuts') <= 2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER cut BEFORE INSERT ON order_lines FOR EACH ROW EXECUTE FUNCTION cut()"
    )

    outcomes = worker.settle({"a": order()})

    assert outcomes["a"]["status"] == "ok"
    assert worker.count("orders") == 1
