"""The lock on stock by itself: without it a CHECK would still catch an oversold unit, but at a price."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared.persistence.core.database import transaction
from shared.persistence.core.reservations import reserve
from shared.persistence.stock.lock import lock_stock
from tests.support.worker_harness import MAIN, WorkerHarness

LAMP, STOOL = 1, 2


@pytest.fixture
def worker(bare_worker: WorkerHarness) -> WorkerHarness:
    """Stock is reserved here without the orders that it would be for."""
    bare_worker.stock("BRASS-LAMP", main=1)
    bare_worker.stock("RED-STOOL", main=1)
    return bare_worker


def test_an_item_that_another_order_has_in_hand_is_waited_for_and_no_other(worker: WorkerHarness) -> None:
    with transaction(worker.engine) as first:
        lock_stock(first, {LAMP}, {})

        with transaction(worker.engine) as second:
            assert lock_stock(second, {STOOL}, {}).units(STOOL, MAIN) == 1
        with transaction(worker.engine) as second:
            second.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                lock_stock(second, {STOOL, LAMP}, {})


def test_what_the_other_order_took_is_not_there_any_more(worker: WorkerHarness) -> None:
    with transaction(worker.engine) as first:
        lock_stock(first, {LAMP}, {})
        reserve(first, {(LAMP, MAIN): 1})

    with transaction(worker.engine) as second:
        assert lock_stock(second, {LAMP}, {}).units(LAMP, MAIN) == 0
