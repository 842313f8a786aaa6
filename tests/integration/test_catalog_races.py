"""Catalog loads among slices that take stock, and among each other."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Event
from typing import TYPE_CHECKING

from shared.persistence.core.database import transaction
from shared.persistence.core.reservations import reserve
from shared.persistence.stock.lock import lock_stock
from tests.support.catalog_files import load, put, rows
from tests.support.catalogs import FILE_CATALOG
from tests.support.until import until

if TYPE_CHECKING:
    from sqlalchemy import Engine

SKUS = [f"SKU-{n}" for n in range(40)]


def items_with_stock(physical: int) -> dict[str, object]:
    shuffled = random.sample(SKUS, len(SKUS))
    return {"items": [{"sku": sku, "stock": {"Shop": physical, "Main": physical}} for sku in shuffled]}


def reserve_stock(engine: Engine, item_ids: list[int], warehouse_ids: list[int], stop: Event) -> int:
    """What slices do: lock some items' stock, take a unit of each where there is one."""
    taken = 0
    while not stop.is_set():
        with transaction(engine) as connection:
            wanted = random.sample(item_ids, 8)
            available = lock_stock(connection, wanted, {})
            places = product(wanted, warehouse_ids)
            free = {place: 1 for place in places if available.units(*place) > 0}
            reserve(connection, free)
        taken += len(free)
    return taken


def test_loading_stock_among_slices_neither_deadlocks_nor_loses_a_unit(engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    load(engine, items_with_stock(1_000_000))
    item_ids = [row[0] for row in rows(engine, "SELECT id FROM items WHERE sku LIKE 'SKU-%'")]
    warehouse_ids = [row[0] for row in rows(engine, "SELECT id FROM warehouses")]
    stop = Event()

    with ThreadPoolExecutor(4) as slices:
        running = [slices.submit(reserve_stock, engine, item_ids, warehouse_ids, stop) for _ in range(3)]
        try:
            for physical in range(12):
                load(engine, items_with_stock(1_000_000 if physical % 2 else physical))
        finally:
            stop.set()
        taken = sum(one.result() for one in running)

    assert taken > 0
    assert rows(engine, "SELECT sum(allocated) FROM stock") == [(taken,)]


def test_two_loads_at_once_take_turns(engine: Engine) -> None:
    with ThreadPoolExecutor(2) as both:
        loads = [both.submit(load, engine, FILE_CATALOG) for _ in range(2)]
        summaries = [one.result() for one in loads]

    assert sorted(summary.counts["items"].inserted for summary in summaries) == [0, 2]
    assert [summary.version for summary in summaries] == [1, 1]


def test_stock_that_somebody_else_just_inserted_is_set_too(engine: Engine) -> None:
    load(engine, {**FILE_CATALOG, "items": [{"sku": "RED-STOOL"}], "campaigns": []})
    (item_id,), (warehouse_id,) = (
        rows(engine, "SELECT id FROM items")[0],
        rows(engine, "SELECT id FROM warehouses WHERE name = 'Main'")[0],
    )

    with ThreadPoolExecutor(1) as other:
        with transaction(engine) as connection:
            connection.exec_driver_sql(
                "INSERT INTO stock (item_id, warehouse_id, physical, allocated) VALUES (%s, %s, 9, 4)",
                (item_id, warehouse_id),
            )
            loading = other.submit(load, engine, {"items": [{"sku": "RED-STOOL", "stock": {"Main": 7}}]})
            await_waiting(engine)
        summary = loading.result()

    assert rows(engine, "SELECT physical, allocated FROM stock") == [(7, 4)]
    assert (summary.counts["stock"].inserted, summary.counts["stock"].changed) == (0, 1)


def await_waiting(engine: Engine) -> None:
    """Until some transaction waits for a lock."""
    until(lambda: rows(engine, "SELECT 1 FROM pg_locks WHERE NOT granted"), "somebody waits for a lock")
