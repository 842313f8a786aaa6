"""Stock set from outside while slices take it and others set it: no deadlock, no unit too many."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from shared.domain.stock_count import StockCount
from shared.persistence.core.reservations import reserve
from shared.persistence.stock.counts import set_stock
from shared.persistence.stock.lock import lock_stock
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import ADDRESS
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice
from tests.support.until import pause, until

SKUS = [f"SKU-{n:02}" for n in range(30)]
ROUNDS = 25
ITEMS = (
    "INSERT INTO items (sku) SELECT 'SKU-' || lpad(n::text, 2, '0') FROM generate_series(0, 29) AS n",
    "INSERT INTO prices SELECT id, 1, 1 FROM items WHERE sku LIKE 'SKU-%'",
    # Half of the rows are there; the others are made while all of them race.
    "INSERT INTO stock SELECT id, 1, 1000 FROM items WHERE sku LIKE 'SKU-%' AND id % 2 = 0",
)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    with shop.api.engine.begin() as connection:
        for statement in ITEMS:
            connection.execute(text(statement))
    return shop


def assert_stock_is_whole(shop: Shop) -> None:
    """The invariants of contract §6, from the rows."""
    broken = shop.api.rows(
        "SELECT stock.item_id, warehouse_id, physical, stock.allocated, coalesce(taken.units, 0) AS units"
        " FROM stock LEFT JOIN (SELECT item_id, warehouse_id, sum(quantity) AS units FROM allocations"
        " GROUP BY item_id, warehouse_id) AS taken USING (item_id, warehouse_id)"
        " WHERE stock.allocated <> coalesce(taken.units, 0) OR stock.allocated NOT BETWEEN 0 AND physical"
    )
    assert broken == []


def accept_orders(shop: Shop) -> list[int]:
    """Accept two slices of orders for several items each, in any order of them; give the slices' ids."""
    batch = {
        str(n): {
            "address": ADDRESS,
            "products": [{"sku": sku, "qty": 1 + n % 3} for sku in random.sample(SKUS, 6)],
        }
        for n in range(20)
    }
    response = shop.api.post(batch, Prefer="respond-async")
    return [slice_id for slice_id, _, _ in shop.api.open_slices(response.headers["Location"][-36:])]


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """Do all of it at once; whatever is raised is raised."""
    start = threading.Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(begin, work) for work in works]]


def test_counts_and_slices_neither_deadlock_nor_break_the_stock(shop: Shop) -> None:
    slices = [accept_orders(shop) for _ in range(3)]

    def settle(ids: list[int]) -> None:
        for slice_id in ids:
            settle_slice(shop.context, slice_id)

    def recount(warehouse: str | None) -> int:
        set_in_all = 0
        for _ in range(ROUNDS):
            found = zip(random.sample(SKUS, 20), random.sample(range(60), 20), strict=True)
            counts = [StockCount(at, sku, units, warehouse) for at, (sku, units) in enumerate(found)]
            # Called as it is, without the API's further tries: a deadlock would be raised.
            done = set_stock(shop.api.engine, counts, None)
            set_in_all += done.changed + done.unchanged
        return set_in_all

    results = in_threads(
        *(lambda ids=ids: settle(ids) for ids in slices),
        lambda: recount(None),
        lambda: recount("Shop"),
        lambda: recount("Main"),
    )

    assert results[3:] == [20 * ROUNDS] * 3
    assert shop.api.open_slices() == []
    assert_stock_is_whole(shop)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert shop.api.rows(deadlocks)[0][0] == 0


def test_stock_rows_that_are_not_there_yet_are_made_once_by_counts_that_race(shop: Shop) -> None:
    for turn in range(8):
        skus = [f"NEW-{turn}-{n}" for n in range(60)]
        with shop.api.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO items (sku) SELECT unnest(CAST(:skus AS text[]))"), {"skus": skus}
            )

        def make(skus: list[str] = skus) -> Any:
            places = [(sku, warehouse) for sku in skus for warehouse in ("Main", "Shop")]
            random.shuffle(places)
            counts = [StockCount(at, sku, 5, warehouse) for at, (sku, warehouse) in enumerate(places)]
            return set_stock(shop.api.engine, counts, None)

        done = in_threads(make, make, make, make)

        assert sum(one.changed for one in done) == 120
    assert shop.api.rows("SELECT count(*) FROM stock WHERE physical = 5")[0][0] >= 8 * 120


def test_the_last_unit_that_a_count_would_take_away_stays_with_its_order(shop: Shop) -> None:
    [first] = shop.api.rows("SELECT sku FROM items WHERE sku LIKE 'SKU-%' AND id % 2 = 0 LIMIT 1")
    wanted = {"a": {"address": ADDRESS, "products": [{"sku": first.sku, "qty": 1000}]}}
    key = shop.api.new_key("Stock", "stock:write")

    def set_to_nothing() -> dict[str, Any]:
        body = orjson.dumps({"products": [{"product": first.sku, "quantity": 0}]})
        headers = {"API-Authorization": key, "Content-Type": "application/json"}
        return told(shop.api.apps[0].test_client().post("/v1/stock", data=body, headers=headers))

    outcomes, counted = in_threads(lambda: shop.place(wanted), set_to_nothing)

    # Whoever was first: either the order has it all, or it was told that there is nothing.
    created = outcomes["a"]["status"] == "ok"
    assert ("raised" in counted) == created
    assert_stock_is_whole(shop)


def test_a_count_that_waits_for_a_slice_sees_what_the_slice_has_taken(shop: Shop) -> None:
    [row] = shop.api.rows("SELECT id, sku FROM items WHERE sku LIKE 'SKU-%' AND id % 2 = 0 LIMIT 1")
    counts = [StockCount(0, row.sku, 3)]
    with ThreadPoolExecutor(1) as pool:
        with shop.context.engine.begin() as taking:
            lock_stock(taking, [row.id], {})
            reserve(taking, {(row.id, 1): 7})
            future = pool.submit(set_stock, shop.api.engine, counts, None)
            wait_for_a_lock(shop)
        done = future.result()

    assert [(raised.count.quantity, raised.physical) for raised in done.raised] == [(3, 7)]


def wait_for_a_lock(shop: Shop) -> None:
    """Wait until somebody in this database waits for a row."""
    until(lambda: waiting_for_locks(shop.api.engine), "somebody waits for a row")


def test_a_count_that_meets_a_lock_for_too_long_is_tried_again(shop: Shop) -> None:
    [row] = shop.api.rows("SELECT id, sku FROM items WHERE sku LIKE 'SKU-%' AND id % 2 = 0 LIMIT 1")
    impatient = shop.api.with_settings(lock_limit_seconds=1)
    headers = {
        "API-Authorization": shop.api.new_key("Stock", "stock:write"),
        "Content-Type": "application/json",
    }
    body = orjson.dumps({"products": [{"product": row.sku, "quantity": 3}]})
    with ThreadPoolExecutor(1) as pool:
        with shop.context.engine.begin() as holding:
            lock_stock(holding, [row.id], {})
            future = pool.submit(impatient.client.post, "/v1/stock", data=body, headers=headers)
            pause(1.3, "longer than it waits for a lock")
        response = future.result()

    assert (response.status_code, told(response)["updated"]) == (200, 1)


def test_a_count_that_gets_no_lock_is_told_that_the_database_is_busy_and_not_away(shop: Shop) -> None:
    [row] = shop.api.rows("SELECT id, sku FROM items WHERE sku LIKE 'SKU-%' AND id % 2 = 0 LIMIT 1")
    impatient = shop.api.with_settings(lock_limit_seconds=1, stock_tries_max=1)
    headers = {
        "API-Authorization": shop.api.new_key("Stock", "stock:write"),
        "Content-Type": "application/json",
    }
    body = orjson.dumps({"products": [{"product": row.sku, "quantity": 3}]})
    with shop.context.engine.begin() as holding:
        lock_stock(holding, [row.id], {})
        response = impatient.client.post("/v1/stock", data=body, headers=headers)

    assert response.status_code == 503
    assert "database is too busy" in response.get_data(as_text=True)
    assert int(response.headers["Retry-After"]) > 0
