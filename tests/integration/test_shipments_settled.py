"""Shipments and cancellations as workers settle them: races, statements, and what is left in the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from shared.domain.kinds import JobForm
from shared.persistence.orders.cancel import cancel_expired
from shared.queue.job_queue import JobQueue
from tests.support.orders import line, lines, order
from tests.support.worker_harness import WorkerHarness
from worker.maintenance.scheduler import periodic_tasks


def do(worker: WorkerHarness, form: JobForm, batch: dict[str, Any], **how: Any) -> dict[str, dict[str, Any]]:
    """Settle a batch of another kind than orders."""
    return worker.settle(batch, form=form, **how)


def placed(worker: WorkerHarness, *orders: dict[str, Any]) -> list[int]:
    """Place orders; give the first number of each."""
    outcomes = worker.settle({f"k{at}": one for at, one in enumerate(orders)})
    return [one["orders"][0] if "orders" in one else one["order"] for one in outcomes.values()]


def line_ids(worker: WorkerHarness, number: int) -> list[int]:
    rows = worker.rows("SELECT id FROM order_lines WHERE order_number = :n ORDER BY line", n=number)
    return [row.id for row in rows]


def stock(worker: WorkerHarness, sku: str) -> dict[str, tuple[int, int]]:
    """Physical and allocated by warehouse."""
    rows = worker.rows(
        "SELECT name, physical, allocated FROM stock JOIN items ON items.id = item_id"
        " JOIN warehouses ON warehouses.id = warehouse_id WHERE sku = :sku ORDER BY name",
        sku=sku,
    )
    return {row.name: (row.physical, row.allocated) for row in rows}


def states(worker: WorkerHarness) -> dict[int, str]:
    return dict(worker.rows("SELECT number, state FROM orders ORDER BY number"))


def test_shipping_takes_the_units_out_of_physical_and_allocated_together(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2, shop=4)
    (number,) = placed(worker, order(line(qty=5)))
    (lamp,) = line_ids(worker, number)

    told = do(
        worker,
        JobForm.SHIPMENTS,
        {
            "first": {"order": number, "products": {str(lamp): 3}, "carrier": "Post", "tracking": "T-1"},
            "rest": {"order": number},
        },
    )

    assert told == {"first": {"status": "ok", "shipment": 1}, "rest": {"status": "ok", "shipment": 2}}
    assert stock(worker, "BRASS-LAMP") == {"Main": (0, 0), "Shop": (1, 0)}
    assert states(worker) == {number: "shipped"}
    assert worker.rows(
        "SELECT shipment_number, warehouse_id, quantity FROM shipment_lines ORDER BY 1, 2"
    ) == [(1, 1, 2), (1, 2, 1), (2, 2, 2)]


def test_a_shipment_that_cannot_leave_changes_nothing(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    number, waiting, prepared = placed(
        worker, order(), order(line(qty=9), forceCreate=True), order(createOnly=True)
    )
    (lamp,) = line_ids(worker, number)

    told = do(
        worker,
        JobForm.SHIPMENTS,
        {
            "too many": {"order": number, "products": {str(lamp): 2}},
            "waits": {"order": waiting},
            "prepared": {"order": prepared},
            "nobody's": {"order": 999},
            "another's line": {"order": waiting, "products": {str(lamp): 1}},
            "none": {"order": number, "products": {str(lamp): 0}},
            "empty": {"order": number, "products": {}},
            "odd": {"order": number, "products": {"x": 1, str(lamp): -1}},
            "no order": {"products": {}},
        },
    )

    assert {key: (one["code"], one["errors"][0]["reason"]) for key, one in told.items()} == {
        "too many": (-2, "more_than_remains"),
        "waits": (-2, "back_ordered"),
        "prepared": (-7, "order_prepared"),
        "nobody's": (-7, "order_unknown"),
        "another's line": (-7, "line_unknown"),
        "none": (-7, "out_of_range"),
        "empty": (-3, "shipment_empty"),
        "odd": (-7, "not_whole"),
        "no order": (-3, "shipment_empty"),
    }
    assert [one["pointer"] for one in told["odd"]["errors"]] == ["/products/x", f"/products/{lamp}"]
    assert stock(worker, "BRASS-LAMP") == {"Main": (2, 1)}
    assert set(states(worker).values()) == {"created", "prepared"}


def test_the_same_reference_is_one_shipment_in_a_batch_and_in_a_later_one(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=5)
    (number,) = placed(worker, order(line(qty=5)))
    (lamp,) = line_ids(worker, number)
    parcel = {"order": number, "products": {str(lamp): 2}, "reference": "parcel 1"}

    first = do(worker, JobForm.SHIPMENTS, {"a": parcel, "b": parcel})
    again = do(worker, JobForm.SHIPMENTS, {"c": parcel})

    assert {one["shipment"] for one in [*first.values(), *again.values()]} == {1}
    assert stock(worker, "BRASS-LAMP") == {"Main": (3, 3)}


def test_cancelling_gives_back_every_unit_and_the_use_of_a_voucher_once(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1, shop=1)
    (number,) = placed(worker, order(line(qty=2), voucherCodes=["GIFT"]))
    used = "SELECT used FROM vouchers WHERE code = 'GIFT'"
    assert worker.rows(used) == [(1,)]

    told = do(
        worker, JobForm.CANCELLATIONS, {key: {"order": number, "reason": "she rang"} for key in ("a", "b")}
    )
    again = do(worker, JobForm.CANCELLATIONS, {"c": {"order": number}})

    assert list((told | again).values()) == [{"status": "ok", "orders": [number]}] * 3
    assert stock(worker, "BRASS-LAMP") == {"Main": (1, 0), "Shop": (1, 0)}
    assert worker.rows(used) == [(0,)]
    assert worker.rows("SELECT state, cancel_reason, cancelled_at IS NOT NULL FROM orders") == [
        ("cancelled", "she rang", True)
    ]
    assert placed(worker, order(line(qty=2), voucherCodes=["GIFT"])) == [number + 1]


def test_a_split_order_gives_its_voucher_back_with_its_last_part(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1, shop=1)
    placed(worker, order(line(qty=2), voucherCodes=["GIFT"], warehouseGroup="By warehouse"))
    first, second = states(worker)
    uses = []

    for number in (first, second, first):
        do(worker, JobForm.CANCELLATIONS, {"a": {"order": number}})
        uses.append(worker.rows("SELECT used FROM vouchers WHERE code = 'GIFT'")[0].used)

    assert uses == [1, 0, 0]
    assert set(states(worker).values()) == {"cancelled"}


def test_a_prepared_order_is_cancelled_and_gives_its_voucher_back(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1)
    (number,) = placed(worker, order(createOnly=True, voucherCodes=["GIFT"]))

    told = do(worker, JobForm.CANCELLATION, {str(number): {}})

    assert told == {str(number): {"status": "ok", "orders": [number]}}
    assert worker.rows("SELECT used FROM vouchers WHERE code = 'GIFT'") == [(0,)]


def test_what_is_cancelled_goes_to_whoever_has_waited_longest(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    has, older, younger = placed(
        worker,
        order(line(qty=3)),
        order(line(qty=2), forceCreate=True),
        order(line(qty=1), forceCreate=True),
    )

    do(worker, JobForm.CANCELLATIONS, {"a": {"order": has}})

    assert stock(worker, "BRASS-LAMP") == {"Main": (3, 3)}
    waiting = "SELECT order_number, back_ordered FROM order_lines WHERE order_number = ANY(:n) ORDER BY 1"
    assert worker.rows(waiting, n=[older, younger]) == [(older, 0), (younger, 0)]


def test_whoever_waited_behind_a_cancelled_order_is_served(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    too_much, fits = placed(
        worker, order(line(qty=5), forceCreate=True), order(line(qty=3), forceCreate=True)
    )
    worker.run("UPDATE stock SET physical = 3")

    do(worker, JobForm.CANCELLATIONS, {"a": {"order": too_much}})

    assert worker.rows("SELECT back_ordered FROM order_lines WHERE order_number = :n", n=fits) == [(0,)]
    assert stock(worker, "BRASS-LAMP") == {"Main": (3, 3)}


def test_what_has_shipped_in_part_is_not_cancelled(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    (number,) = placed(worker, order(line(qty=3)))
    (lamp,) = line_ids(worker, number)
    do(worker, JobForm.SHIPMENTS, {"a": {"order": number, "products": {str(lamp): 1}}})

    (told,) = do(worker, JobForm.CANCELLATIONS, {"a": {"order": number}}).values()

    assert (told["code"], told["retryable"]) == (-7, False)
    assert told["errors"][0]["params"] == {"shipped": {str(lamp): 1}}
    assert stock(worker, "BRASS-LAMP") == {"Main": (2, 2)}


def test_of_a_hundred_racing_cancels_and_shipments_of_one_order_exactly_one_wins(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=1)
    (number,) = placed(worker, order(voucherCodes=["GIFT"]))
    slices = []
    for at in range(50):
        slices += worker.accept({"a": {"order": number}}, form=JobForm.SHIPMENTS)
        slices += worker.accept({"b": {"order": number, "reason": str(at)}}, form=JobForm.CANCELLATIONS)

    worker.settle_racing(slices, threads=4)

    outcomes = [worker.outcomes(job) for job in range(1, 101)]
    shipped = [one["a"] for one in outcomes if "a" in one]
    cancelled = [one["b"] for one in outcomes if "b" in one]
    reasons = {one["errors"][0]["reason"] for one in [*shipped, *cancelled] if one["status"] == "no"}
    if states(worker) == {number: "cancelled"}:
        assert [one["status"] for one in cancelled] == ["ok"] * 50
        assert [one["status"] for one in shipped] == ["no"] * 50
        assert reasons == {"order_cancelled"}
        assert stock(worker, "BRASS-LAMP") == {"Main": (1, 0)}
    else:
        assert [one["status"] for one in shipped].count("ok") == 1
        assert [one["status"] for one in cancelled] == ["no"] * 50
        assert reasons == {"more_than_remains", "already_shipped"}
        assert stock(worker, "BRASS-LAMP") == {"Main": (0, 0)}


def test_steps_of_many_orders_race_without_deadlock_and_the_stock_adds_up(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=60)
    worker.stock("RED-STOOL", main=40, shop=10)
    numbers = placed(
        worker,
        *(order(products=lines(("RED-STOOL", 1), ("BRASS-LAMP", 2)), forceCreate=True) for _ in range(60)),
    )
    slices = []
    for start in range(4):
        mixed = numbers[start::4] + numbers[::-3]
        ships = {str(at): {"order": number} for at, number in enumerate(mixed)}
        slices += worker.accept(ships, form=JobForm.SHIPMENTS, per=20)
        slices += worker.accept(ships, form=JobForm.CANCELLATIONS, per=20)

    worker.settle_racing(slices, threads=4)

    assert {"created", "partially_shipped", "shipped", "cancelled"} >= set(states(worker).values())


def test_a_shipment_that_cannot_be_written_costs_only_itself(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=20)
    numbers = placed(worker, *(order() for _ in range(4)))
    worker.fails("shipments", "NEW.carrier = 'Icarus'", "22003")
    carriers = ["Post", "Icarus", "Post", "Post"]

    told = do(
        worker,
        JobForm.SHIPMENTS,
        {c + str(n): {"order": n, "carrier": c} for c, n in zip(carriers, numbers, strict=True)},
    )

    assert [one["status"] for one in told.values()] == ["ok", "no", "ok", "ok"]
    assert stock(worker, "BRASS-LAMP") == {"Main": (17, 1)}


def statements_of(worker: WorkerHarness, form: JobForm, numbers: list[int]) -> int:
    seen = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(worker.engine, "before_cursor_execute", note)
    told = do(worker, form, {str(number): {"order": number} for number in numbers})
    event.remove(worker.engine, "before_cursor_execute", note)
    assert all(one["status"] == "ok" for one in told.values()), told
    return len(seen)


@pytest.mark.parametrize("form", [JobForm.SHIPMENTS, JobForm.CANCELLATIONS])
def test_a_slice_costs_the_same_statements_whatever_its_size(worker: WorkerHarness, form: JobForm) -> None:
    worker.stock("BRASS-LAMP", main=200)
    numbers = placed(worker, *(order(voucherCodes=["TEN"]) for _ in range(111)))

    counts = [statements_of(worker, form, part) for part in (numbers[:1], numbers[1:11], numbers[11:])]

    assert len(set(counts)) == 1
    assert counts[0] < 30


def test_a_prepared_order_that_nobody_completes_in_time_is_cancelled(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=5)
    old, new, created = placed(
        worker,
        order(createOnly=True, voucherCodes=["GIFT"]),
        order(createOnly=True),
        order(),
    )
    worker.run("UPDATE orders SET created_at = created_at - interval '3 hours' WHERE number <> :n", n=new)

    assert cancel_expired(worker.engine, 2, 10, "too late") == 1
    assert cancel_expired(worker.engine, 2, 10, "too late") == 0

    assert states(worker) == {old: "cancelled", new: "prepared", created: "created"}
    assert worker.rows("SELECT used FROM vouchers WHERE code = 'GIFT'") == [(0,)]


@pytest.mark.parametrize(("hours", "left"), [(0.0, "prepared"), (2.0, "cancelled")])
def test_prepared_orders_expire_only_where_the_setting_says_so(
    worker: WorkerHarness, queue: JobQueue, hours: float, left: str
) -> None:
    worker.stock("BRASS-LAMP", main=5)
    placed(worker, order(createOnly=True))
    worker.run("UPDATE orders SET created_at = created_at - interval '3 hours'")

    tasks = periodic_tasks(worker.engine, queue, replace(worker.settings, prepared_hours=hours))
    next(task for task in tasks if task.name == "prepared").run()

    assert list(states(worker).values()) == [left]
