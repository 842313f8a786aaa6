"""Many lines at once are written before their stock is locked; and what has gone meanwhile is not sold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, text

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.core.database import transaction
from shared.persistence.stock.lock import lock_stock
from tests.support.orders import line, lines, order
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness
from worker.settle.decide_and_write import LOCKED_LAST_FROM
from worker.settle.message import settle_message

MANY = LOCKED_LAST_FROM


def _batch(count: int = MANY, **wanted: Any) -> dict[str, Any]:
    return {f"k{i}": order(email=f"c{i}@example.com", **wanted) for i in range(count)}


def _statements(worker: WorkerHarness, batch: dict[str, Any]) -> list[str]:
    slice_ids, seen = worker.accept(batch, per=len(batch)), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(worker.engine, "before_cursor_execute", note)
    settle_message(worker.context(), slice_ids, LARGE_QUEUE)
    event.remove(worker.engine, "before_cursor_execute", note)
    return seen


def _at(seen: list[str], part: str) -> int:
    return next(at for at, statement in enumerate(seen) if part in statement)


def test_orders_are_numbered_before_their_stock_is_locked_where_nothing_else_could_be_decided(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=1000)

    seen = _statements(worker, _batch())

    assert _at(seen, "order_number_seq") < _at(seen, "FOR NO KEY UPDATE")
    assert worker.allocated("BRASS-LAMP") == MANY


def test_one_order_of_many_lines_is_numbered_before_its_stock_is_locked_like_many_of_one(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=1000)

    seen = _statements(worker, {"k": order(*[line() for _ in range(MANY)])})

    assert _at(seen, "order_number_seq") < _at(seen, "FOR NO KEY UPDATE")
    assert worker.allocated("BRASS-LAMP") == MANY


@pytest.mark.parametrize(
    ("wanted", "stock"),
    [
        ({"orderNumber": 77}, {"main": 1000}),
        ({"customerRegister": True}, {"main": 1000}),
        ({"voucherCodes": ["GIFT"]}, {"main": 1000}),
        ({"createOnly": True}, {"main": 1000}),
        ({}, {"main": MANY - 1, "shop": 1}),
        ({}, {"main": 1}),
    ],
    ids=["own number", "registers", "counted voucher", "prepares", "of two warehouses", "short"],
)
def test_stock_is_locked_first_where_what_is_there_decides_or_others_could_wait(
    worker: WorkerHarness, wanted: dict[str, Any], stock: dict[str, int]
) -> None:
    worker.stock("BRASS-LAMP", **stock)
    batch = _batch(MANY - 1) | {"odd": order(email="odd@example.com", **wanted)}

    seen = _statements(worker, batch)

    assert _at(seen, "FOR NO KEY UPDATE") < _at(seen, "order_number_seq")


def test_what_has_gone_between_the_look_and_the_lock_is_not_sold(worker: WorkerHarness) -> None:
    # Of what lies below a threshold no constraint of the database's knows.
    worker.stock("BRASS-LAMP", reserve=MANY + 5)
    (slice_id,) = worker.accept(_batch(warehouseGroup="Reserve"), per=MANY)
    (lamp,) = worker.rows("SELECT id FROM items WHERE sku = 'BRASS-LAMP'")[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction(worker.engine) as other:
            lock_stock(other, [lamp], {})
            settling = pool.submit(settle_message, worker.context(), [slice_id], LARGE_QUEUE)
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            until(lambda: bool(worker.rows(waiting)))
            other.execute(text("UPDATE stock SET physical = physical - 4"))
        assert settling.result().left == {}

    outcomes = [one["status"] for one in worker.outcomes().values()]
    assert outcomes == ["ok"] * (MANY - 4) + ["no"] * 4
    assert worker.allocated("BRASS-LAMP") == MANY - 4
    assert worker.rows("SELECT count(*) FROM orders") == [(MANY - 4,)]
    assert worker.rows("SELECT count(*) FROM customers") == [(MANY - 4,)]


def test_large_slices_that_race_for_the_last_units_sell_exactly_those(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=150)
    worker.stock("RED-STOOL", main=1000)
    wanted = lines(("RED-STOOL", 1), ("BRASS-LAMP", 1))
    slice_ids = worker.accept(_batch(6 * MANY, products=wanted), per=MANY)

    worker.settle_racing(slice_ids, threads=3)

    assert sum(one["status"] == "ok" for one in worker.outcomes().values()) == 150
    assert worker.allocated("BRASS-LAMP") == worker.allocated("RED-STOOL") == 150
