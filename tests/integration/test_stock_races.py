"""Stock under many hands: sold to the last unit, never beyond, and no deadlock that anybody sees."""

from __future__ import annotations

import random

from shared.persistence.core.database import transaction
from shared.persistence.core.reservations import reserve
from shared.persistence.stock.lock import lock_stock
from tests.support.orders import line, lines, order
from tests.support.worker_harness import MAIN, RESERVE, SHOP, WorkerHarness


def ok(worker: WorkerHarness) -> int:
    return sum(one["status"] == "ok" for one in worker.outcomes().values())


def test_racing_orders_for_one_item_sell_exactly_what_is_there(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=60, shop=40)
    slice_ids = worker.accept({f"k{i}": order() for i in range(300)}, per=5)

    worker.settle_racing(slice_ids)

    assert ok(worker) == worker.allocated("BRASS-LAMP") == 100
    assert {one.get("code") for one in worker.outcomes().values()} == {None, -2}


def test_slices_that_want_the_same_items_in_other_orders_do_not_deadlock(worker: WorkerHarness) -> None:
    skus = [f"HOT-{i}" for i in range(20)]
    worker.run("INSERT INTO items (sku) SELECT 'HOT-' || i FROM generate_series(0, 19) AS i")
    worker.run("INSERT INTO prices SELECT id, 1, 1 FROM items WHERE sku LIKE 'HOT-%'")
    for sku in skus:
        worker.stock(sku, main=15, shop=15)
    dice = random.Random(4)  # noqa: S311 - the same batch every time
    batch = {
        f"k{i}": order(products=lines(*((sku, dice.randint(1, 3)) for sku in dice.sample(skus, 6))))
        for i in range(240)
    }
    slice_ids = worker.accept(batch, per=8)

    worker.settle_racing(slice_ids)

    # A deadlock would have been tried again, so nobody would see it but the log.
    assert [entry for entry in worker.logged if entry["event"] == "slices_tried_again"] == []
    assert len(worker.outcomes()) == 240
    assert 0 < ok(worker) < 240


def test_an_order_takes_all_its_lines_or_none_however_many_race_for_them(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=30)
    worker.stock("RED-STOOL", main=50)
    slice_ids = worker.accept(
        {f"k{i}": order(products=lines(("RED-STOOL", 1), ("BRASS-LAMP", 1))) for i in range(80)}, per=1
    )

    worker.settle_racing(slice_ids)

    assert ok(worker) == 30
    assert worker.allocated("BRASS-LAMP") == worker.allocated("RED-STOOL") == 30


def test_the_last_use_of_a_voucher_goes_to_one_of_many_racing_orders(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=100)
    slice_ids = worker.accept({f"k{i}": order(voucherCodes=["GIFT"]) for i in range(12)}, per=1)

    worker.settle_racing(slice_ids)

    assert ok(worker) == 1
    assert worker.rows("SELECT used FROM vouchers WHERE code = 'GIFT'") == [(1,)]
    assert worker.allocated("BRASS-LAMP") == 1


def test_what_lies_below_a_warehouses_threshold_is_not_sold(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", reserve=7)

    outcomes = worker.settle(
        {
            "too many": order(line(qty=3), warehouseGroup="Reserve"),
            "just right": order(line(qty=2), warehouseGroup="Reserve"),
        }
    )

    assert outcomes["too many"]["msg"] == "products[0]: 3 wanted, 2 available of SKU 'BRASS-LAMP'"
    assert outcomes["just right"]["status"] == "ok"
    assert worker.rows("SELECT warehouse_id, allocated FROM stock") == [(RESERVE, 2)]


def test_stock_that_is_allocated_already_is_not_available(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    worker.settle({"a": order(line(qty=2))})

    outcomes = worker.settle({"b": order(line(qty=2)), "c": order()})

    assert [one["status"] for one in outcomes.values()] == ["no", "ok"]


def test_untouched_stock_may_be_missing_and_stays_as_it_is(worker: WorkerHarness) -> None:
    outcomes = worker.settle(
        {"a": order(line(qty=50), adjustStock=False), "b": order(adjustStock=False, forceCreate=True)}
    )

    assert [one["status"] for one in outcomes.values()] == ["ok", "ok"]
    assert worker.rows("SELECT back_ordered FROM order_lines") == [(0,), (0,)]


def test_locked_stock_has_every_warehouse_of_its_items_and_reserving_adds_to_each(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=3, shop=4, reserve=2)

    with transaction(worker.engine) as connection:
        available = lock_stock(connection, {1, 2}, {RESERVE: 5, SHOP: 1})
        units = [available.units(1, house) for house in (MAIN, SHOP, RESERVE)]
        nothing = lock_stock(connection, set(), {})
        reserve(connection, {(1, MAIN): 3, (1, SHOP): 2})
        reserve(connection, {})

    assert units == [3, 3, 0]
    assert nothing.units(1, MAIN) == 0
    assert worker.rows("SELECT allocated FROM stock ORDER BY warehouse_id") == [(3,), (2,), (0,)]
    worker.run("UPDATE stock SET allocated = 0")
