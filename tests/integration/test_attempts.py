"""What counts as an attempt: only one that ended its worker may bring a slice nearer to being given up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.core.database import open_database
from shared.persistence.jobs.slices import claim_slice
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import order
from tests.support.placed_orders import Shop, open_shop
from tests.support.settling import LeftError, attempt_at, settle_slice, take_slice
from tests.support.until import until
from worker.context import WorkerContext
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from shared.schemas.order.reading import OrderReader
    from shared.settings import Settings


@dataclass
class SlowWorkerContext(WorkerContext):
    """Has taken a slice, and is about to read it, when it stops for a while."""

    taken: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def reader(self, *, strict: bool) -> OrderReader:
        self.taken.set()
        assert self.goes_on.wait(30)
        return super().reader(strict=strict)


def accepted_slice(shop: Shop) -> int:
    path = shop.api.post({"a": order()}, Prefer="respond-async").headers["Location"]
    [(slice_id, _, _)] = shop.api.open_slices(path.rpartition("/")[2])
    return slice_id


def attempts(shop: Shop, slice_id: int) -> int:
    [(counted,)] = shop.api.rows("SELECT attempts FROM slices WHERE id = :id", id=slice_id)
    return int(counted)


def test_a_delivery_that_waits_for_another_settles_what_the_other_rolled_back(shop: Shop) -> None:
    slice_id = accepted_slice(shop)
    slow = SlowWorkerContext(shop.context.settings, shop.context.engine, shop.context.events)
    slower = threading.Thread(target=settle_slice, args=(slow, slice_id))

    slower.start()
    assert slow.taken.wait(30)
    with shop.api.engine.connect() as faster:
        assert claim_slice(faster, slice_id) is not None
        slow.goes_on.set()
        slower.join(0.5)
        faster.rollback()
    slower.join(30)

    assert not slower.is_alive()
    assert shop.api.rows("SELECT attempts, ok_count FROM slices WHERE id = :id", id=slice_id) == [(1, 1)]


def test_a_lock_that_is_not_to_be_had_does_not_count(settings: Settings) -> None:
    with open_shop(settings) as shop:
        slice_id = accepted_slice(shop)
        shop.context.settings = settings
        with shop.api.engine.connect() as somebody:
            somebody.execute(text("SELECT FROM stock FOR UPDATE"))
            context = impatient(shop)

            with pytest.raises(LeftError, match="LockNotAvailable"):
                settle_slice(context, slice_id)
        context.engine.dispose()

        assert attempts(shop, slice_id) == 0


def test_what_a_lost_database_kept_from_being_given_back_is_given_back_by_the_next_task(shop: Shop) -> None:
    first, second = accepted_slice(shop), accepted_slice(shop)
    owed = attempt_at(first)
    take_slice(shop.context.engine, owed)
    shop.context.attempts_owed.append(owed)

    settle_slice(shop.context, second)

    assert attempts(shop, first) == 0
    assert not shop.context.attempts_owed


def test_an_attempt_whose_slice_another_worker_takes_meanwhile_does_not_count(shop: Shop) -> None:
    slice_id = accepted_slice(shop)
    # The lock has half of what is left of the message, so there is a second try.
    context = patient(shop, lock_limit_seconds=60, task_limit_seconds=12)
    first = threading.Thread(target=settle_message, args=(context, [slice_id], LARGE_QUEUE))

    with shop.api.engine.connect() as somebody, shop.api.engine.connect() as another:
        somebody.execute(text("SELECT FROM stock FOR UPDATE"))
        first.start()
        # Seen from beside, for who looks by locking would be in the worker's way.
        until(lambda: waiting_for_locks(shop.api.engine), "that the first try waits for stock")
        # Waits for the first try's end, and holds the slice when the second one wants it.
        assert claim_slice(another, slice_id) is not None
        first.join(2)
        another.rollback()
        first.join(30)
        somebody.rollback()
    context.engine.dispose()

    assert not first.is_alive()
    assert attempts(shop, slice_id) == 0


def impatient(shop: Shop) -> WorkerContext:
    """A worker that waits for no lock longer than a second, and tries once."""
    return patient(shop, lock_limit_seconds=1, slice_tries_max=1)


def patient(shop: Shop, **limits: Any) -> WorkerContext:
    """A worker with limits of its own."""
    settings = replace(shop.context.settings, **limits)
    return WorkerContext(settings, open_database(settings, "test"), shop.context.events)
