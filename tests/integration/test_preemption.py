"""A worker with a large message in hand, and small batches that come meanwhile."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from shared.domain.slicing import LARGE_QUEUE, SLICE_QUEUES, SMALL_QUEUE, WAITED_QUEUE
from shared.queue.job_queue import JobQueue
from shared.settings import Settings
from tests.support.orders import order
from tests.support.worker_harness import WorkerHarness
from worker.context import WorkerContext
from worker.preemption import Preemption
from worker.settle.message import settle_message

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


@pytest.fixture
def context(worker: WorkerHarness, queue: JobQueue) -> WorkerContext:
    return replace(worker.context(), queue=queue)


def large(worker: WorkerHarness) -> list[int]:
    return worker.accept({f"k{i}": order() for i in range(10)}, per=2)


def small(worker: WorkerHarness) -> list[int]:
    return worker.accept({"k": order()}, queue=SMALL_QUEUE)


def closed(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT id FROM slices WHERE closed_at IS NOT NULL ORDER BY id")]


def transactions(worker: WorkerHarness, slice_ids: list[int]) -> int:
    query = "SELECT count(DISTINCT closed_at) FROM slices WHERE id = ANY(:ids)"
    return int(worker.rows(query, ids=slice_ids)[0][0])


def test_where_no_small_batch_has_come_a_large_message_is_one_transaction(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    slice_ids = large(worker)
    queue.dispatch(small(worker), SMALL_QUEUE)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert closed(worker) == slice_ids
    assert transactions(worker, slice_ids) == 1


def test_what_is_left_of_a_large_message_goes_back_when_a_small_one_waits(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    first, second = small(worker), small(worker)
    settle_message(context, first, SMALL_QUEUE)
    slice_ids = large(worker)
    queue.dispatch(second, SMALL_QUEUE)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert closed(worker) == [*first, slice_ids[0]]
    assert worker.queued(LARGE_QUEUE) == slice_ids[1:]
    assert worker.queued(SMALL_QUEUE) == second
    assert worker.rows("SELECT DISTINCT attempts FROM slices WHERE closed_at IS NULL") == [(0,)]


def test_while_no_small_batch_waits_a_large_message_goes_on_slice_by_slice(
    worker: WorkerHarness, context: WorkerContext
) -> None:
    settle_message(context, small(worker), SMALL_QUEUE)
    slice_ids = large(worker)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert transactions(worker, slice_ids) == len(slice_ids)
    assert worker.queued(LARGE_QUEUE) == []


def test_the_last_slice_of_a_message_leaves_nothing_to_put_back(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    settle_message(context, small(worker), SMALL_QUEUE)
    queue.dispatch(small(worker), SMALL_QUEUE)
    last = large(worker)[-1]

    settle_message(context, [last], LARGE_QUEUE)

    assert last in closed(worker)
    assert worker.messages(LARGE_QUEUE) == []


def test_a_small_message_yields_to_none(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    settle_message(context, small(worker), SMALL_QUEUE)
    queue.dispatch(small(worker), SMALL_QUEUE)
    slice_ids = small(worker) + small(worker)

    settle_message(context, slice_ids, SMALL_QUEUE)

    assert transactions(worker, slice_ids) == 1


def test_when_the_queue_is_away_the_message_is_settled_by_who_has_it(
    worker: WorkerHarness, context: WorkerContext, settings: Settings
) -> None:
    with closing(JobQueue(replace(settings, redis_url="redis://127.0.0.1:1/0"))) as nowhere:
        cut_off = replace(context, queue=nowhere)
        settle_message(cut_off, small(worker), SMALL_QUEUE)
        slice_ids = large(worker)

        settle_message(cut_off, slice_ids, LARGE_QUEUE)

        assert not cut_off.preemption.expected(LARGE_QUEUE)

    assert set(slice_ids) <= set(closed(worker))
    # One slice, and the others together: the queue was asked once.
    assert transactions(worker, slice_ids) == 2


@pytest.mark.parametrize(
    ("came", "yields_to"),
    [
        *((queue, set(SLICE_QUEUES[place + 1 :])) for place, queue in enumerate(SLICE_QUEUES)),
    ],
)
def test_what_goes_first_is_expected_for_a_while_after_some_came(
    queue: JobQueue, came: str, yields_to: set[str]
) -> None:
    now = [100.0]
    preemption = Preemption(queue, clock=lambda: now[0])

    def yielding() -> set[str]:
        return {name for name in SLICE_QUEUES if preemption.expected(name)}

    seen = [yielding()]
    preemption.came(came)
    for later in (100.0, 104.9, 105.0):
        now[0] = later
        seen.append(yielding())

    assert seen == [set(), yields_to, yields_to, set()]


def test_many_orders_that_are_waited_for_yield_to_a_few(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    first, second = small(worker), small(worker)
    settle_message(context, first, SMALL_QUEUE)
    slice_ids = worker.accept({f"k{i}": order() for i in range(10)}, per=1, queue=WAITED_QUEUE)
    queue.dispatch(second, SMALL_QUEUE)

    settle_message(context, slice_ids, WAITED_QUEUE)

    # A fifth of the message was done all the same.
    assert closed(worker) == [*first, *slice_ids[:2]]
    assert worker.queued(WAITED_QUEUE) == slice_ids[2:]


def test_orders_that_nobody_waits_for_yield_to_all_who_wait(
    worker: WorkerHarness, queue: JobQueue, context: WorkerContext
) -> None:
    waited = [worker.accept({"k": order()}, queue=WAITED_QUEUE) for _ in range(2)]
    settle_message(context, waited[0], WAITED_QUEUE)
    slice_ids = large(worker)
    queue.dispatch(waited[1], WAITED_QUEUE)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert worker.queued(LARGE_QUEUE) == slice_ids[1:]


def test_a_message_of_many_slices_is_settled_a_fifth_at_a_time(
    worker: WorkerHarness, context: WorkerContext
) -> None:
    settle_message(context, small(worker), SMALL_QUEUE)
    slice_ids = worker.accept({f"k{i}": order() for i in range(25)}, per=1)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert transactions(worker, slice_ids) == 5


def test_a_worker_without_a_queue_expects_none(worker: WorkerHarness) -> None:
    slice_ids = large(worker)
    context = worker.context()
    settle_message(context, small(worker), SMALL_QUEUE)

    settle_message(context, slice_ids, LARGE_QUEUE)

    assert transactions(worker, slice_ids) == 1
