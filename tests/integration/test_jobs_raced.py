"""Cancel, settle and retry race in any order: one outcome a key, counts that add up, nothing made twice."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from shared.domain.slicing import LARGE_QUEUE
from tests.support.placed_orders import Shop
from tests.support.raced_jobs import Customer, asking_app
from worker.context import open_worker_context
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("nothing_is_broken")

CUSTOMERS = 3
BATCHES = 3
# One row: whoever locks several does so in the house's order.
RESTOCK = text(
    "UPDATE stock SET physical = physical + 4500 FROM items, warehouses"
    " WHERE items.id = item_id AND sku = 'RED-STOOL'"
    " AND warehouses.id = warehouse_id AND warehouses.name = 'Main'"
)


@contextmanager
def workers(shop: Shop, count: int) -> Iterator[None]:
    """Workers that settle whatever is open, in any order, within the block."""
    over = threading.Event()

    def work(nth: int) -> None:
        context = open_worker_context(shop.context.settings)
        dice = random.Random(nth)  # noqa: S311 - the same messages every time
        while not over.wait(0.01):
            slice_ids = [slice_id for slice_id, _, _ in shop.api.open_slices()]
            if slice_ids:
                settle_message(context, dice.sample(slice_ids, min(len(slice_ids), 3)), LARGE_QUEUE)
        context.engine.dispose()

    with ThreadPoolExecutor(count) as pool:
        working = [pool.submit(work, nth) for nth in range(count)]
        try:
            yield
        finally:
            over.set()
            for one in working:
                one.result()


def test_whatever_races_each_key_has_one_outcome_and_is_made_once(shop: Shop) -> None:
    api = shop.api.with_settings(slice_max_orders=2, small_max_orders=1, rate_limit_per_minute=0)
    customers = [Customer(asking_app(api.apps[-1], api.key), seed) for seed in range(CUSTOMERS)]

    def live(customer: Customer) -> None:
        for _ in range(BATCHES):
            customer.send(16)
            # Some of what was short is there when it is tried again, for some of those who ask.
            with shop.api.engine.begin() as connection:
                connection.execute(RESTOCK)

    with workers(shop, 2), ThreadPoolExecutor(CUSTOMERS) as pool:
        list(pool.map(live, customers))

    made = sum((customer.made() for customer in customers), start=customers[0].made() - customers[0].made())
    assert made
    assert set(made.values()) == {1}
    assert sorted(made) == sorted(
        key for (key,) in shop.api.rows("SELECT batch_key::jsonb #>> '{}' FROM orders WHERE part = 0")
    )
    # The races were there.
    seen = sum(
        (customer.statuses for customer in customers), start=customers[0].statuses - customers[0].statuses
    )
    assert seen["cancelled"]
    assert seen["1 of two retries"]
