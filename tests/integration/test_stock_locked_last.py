"""Many orders at once are written before their stock is locked; and what has gone meanwhile is not sold."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, text

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.core.database import transaction
from shared.persistence.stock.lock import lock_shelf
from shared.settings import Settings
from tests.support.invariants import broken_invariants
from tests.support.mill import Mill, lines, open_mill, order
from tests.support.until import until
from worker.settle.decide_and_write import LOCKED_LAST_FROM
from worker.settle.message import settle_message

MANY = LOCKED_LAST_FROM


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        yield made
        assert broken_invariants(made.engine) == {}


def _batch(count: int = MANY, **wanted: Any) -> dict[str, Any]:
    return {f"k{i}": order(email=f"c{i}@example.com", **wanted) for i in range(count)}


def _statements(mill: Mill, batch: dict[str, Any]) -> list[str]:
    slice_ids, seen = mill.promise(batch, per=len(batch)), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(mill.engine, "before_cursor_execute", note)
    settle_message(mill.context(), slice_ids, LARGE_QUEUE)
    event.remove(mill.engine, "before_cursor_execute", note)
    return seen


def _at(seen: list[str], part: str) -> int:
    return next(at for at, statement in enumerate(seen) if part in statement)


def test_orders_are_numbered_before_their_stock_is_locked_where_nothing_else_could_be_decided(
    mill: Mill,
) -> None:
    mill.stock("BRASS-LAMP", main=1000)

    seen = _statements(mill, _batch())

    assert _at(seen, "order_number_seq") < _at(seen, "FOR NO KEY UPDATE")
    assert mill.allocated("BRASS-LAMP") == MANY


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
    mill: Mill, wanted: dict[str, Any], stock: dict[str, int]
) -> None:
    mill.stock("BRASS-LAMP", **stock)
    batch = _batch(MANY - 1) | {"odd": order(email="odd@example.com", **wanted)}

    seen = _statements(mill, batch)

    assert _at(seen, "FOR NO KEY UPDATE") < _at(seen, "order_number_seq")


def test_what_has_gone_between_the_look_and_the_lock_is_not_sold(mill: Mill) -> None:
    # Of what lies below a threshold no constraint of the database's knows.
    mill.stock("BRASS-LAMP", reserve=MANY + 5)
    (slice_id,) = mill.promise(_batch(warehouseGroup="Reserve"), per=MANY)
    (lamp,) = mill.rows("SELECT id FROM items WHERE sku = 'BRASS-LAMP'")[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction(mill.engine) as other:
            lock_shelf(other, [lamp], {})
            settling = pool.submit(settle_message, mill.context(), [slice_id], LARGE_QUEUE)
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            until(lambda: bool(mill.rows(waiting)))
            other.execute(text("UPDATE stock SET physical = physical - 4"))
        assert settling.result().left == {}

    outcomes = [one["status"] for one in mill.outcomes().values()]
    assert outcomes == ["ok"] * (MANY - 4) + ["no"] * 4
    assert mill.allocated("BRASS-LAMP") == MANY - 4
    assert mill.rows("SELECT count(*) FROM orders") == [(MANY - 4,)]
    assert mill.rows("SELECT count(*) FROM customers") == [(MANY - 4,)]


def test_large_slices_that_race_for_the_last_units_sell_exactly_those(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=150)
    mill.stock("RED-STOOL", main=1000)
    wanted = lines(("RED-STOOL", 1), ("BRASS-LAMP", 1))
    slice_ids = mill.promise(_batch(6 * MANY, products=wanted), per=MANY)

    mill.settle_racing(slice_ids, threads=3)

    assert sum(one["status"] == "ok" for one in mill.outcomes().values()) == 150
    assert mill.allocated("BRASS-LAMP") == mill.allocated("RED-STOOL") == 150
