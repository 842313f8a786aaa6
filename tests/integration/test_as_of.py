"""Polling for changes: whoever asks from the last answer's asOf on misses none, whatever is under way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.domain.allocation import StockKey
from shared.domain.slicing import LARGE_QUEUE
from shared.domain.stock_level import StockFilter
from shared.persistence.core.as_of import as_of
from shared.persistence.core.database import transaction
from shared.persistence.core.reservations import reserve
from shared.persistence.jobs.slices import claim_slice
from shared.persistence.stock.levels import find_stock
from shared.persistence.stock.lock import lock_stock
from shared.settings import Settings
from tests.support.orders import order
from tests.support.placed_orders import open_shop, told
from tests.support.worker_harness import MAIN, WorkerHarness

LAMP = 1


@pytest.fixture
def worker(bare_worker: WorkerHarness) -> WorkerHarness:
    """Stock is reserved here without the orders that it would be for."""
    bare_worker.stock("BRASS-LAMP", main=100)
    return bare_worker


def now(worker: WorkerHarness) -> datetime:
    moment: datetime = worker.rows("SELECT clock_timestamp()")[0][0]
    return moment


def changed_since(worker: WorkerHarness, moment: datetime) -> list[tuple[str, int]]:
    page = find_stock(worker.engine, StockFilter(limit=10, modified_since=moment))
    assert page is not None
    return [(item.sku, item.allocated) for item in page.items]


def test_a_reservation_that_was_under_way_while_stock_was_read_is_found_by_the_next_poll(
    worker: WorkerHarness,
) -> None:
    worker.run("UPDATE stock SET modified_at = now() - interval '1 hour'")
    taken: dict[StockKey, int] = {(LAMP, MAIN): 7}
    with transaction(worker.engine) as slow:
        lock_stock(slow, {LAMP}, {})
        reserve(slow, taken)
        # It takes longer to commit than any second that could be allowed for.
        slow.execute(text("SELECT pg_sleep(1.5)"))
        polled_from = as_of(worker.engine)
        assert changed_since(worker, polled_from) == []

    assert changed_since(worker, polled_from) == [("BRASS-LAMP", 7)]


def test_an_order_whose_slice_was_claimed_while_orders_were_read_is_found_by_the_next_poll(
    worker: WorkerHarness,
) -> None:
    (slice_id,) = worker.accept({"a": order()}, queue=LARGE_QUEUE)
    with transaction(worker.engine) as slow:
        claim = claim_slice(slow, slice_id)
        slow.execute(text("SELECT pg_sleep(1.5)"))
        polled_from = as_of(worker.engine)

    # An order is made at its slice's claim.
    assert claim is not None
    assert polled_from <= claim.moment


def test_while_nothing_is_under_way_a_poll_begins_a_second_ago(worker: WorkerHarness) -> None:
    with worker.engine.connect() as reader:
        # Somebody who only reads, however long, keeps nothing back.
        reader.execute(text("SELECT count(*) FROM stock"))
        before = now(worker)
        polled_from = as_of(worker.engine)

    assert before - timedelta(seconds=1) <= polled_from <= now(worker) - timedelta(seconds=1)


def test_both_lists_tell_from_when_on_to_poll(settings: Settings) -> None:
    with open_shop(settings) as shop:
        key = shop.api.new_key("Reader", "stock:read", "orders:read")
        answers: list[dict[str, Any]] = [
            told(shop.api.get(path, key)) for path in ("/v1/stock", "/v1/orders")
        ]
        again = shop.api.get(f"/v1/stock?modified={answers[0]['asOf']}", key)

    for answer in answers:
        moment = datetime.fromisoformat(answer["asOf"])
        assert moment.utcoffset() == timedelta(0)
        assert answer["asOf"].endswith("Z")
    assert again.status_code == 200
