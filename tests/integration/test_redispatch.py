"""The sweeper: what nobody has decided in time is dispatched again, ever more rarely, and never in a heap."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest
import redis

from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE
from shared.persistence.core.database import transaction
from shared.persistence.jobs.redispatch import MadeDue, make_all_due
from shared.persistence.jobs.slices import claim_slice
from shared.queue.job_queue import JobQueue, QueueAwayError
from shared.settings import Settings
from tests.support.orders import order
from tests.support.settling import settle_slice
from tests.support.worker_harness import WorkerHarness
from worker.maintenance.redispatch import sweep

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, redispatch_first_seconds=30, redispatch_most_seconds=200)


@pytest.fixture
def queue(queue: JobQueue) -> JobQueue:
    queue.leave_canary()
    return queue


@pytest.fixture
def nowhere(worker: WorkerHarness) -> Iterator[JobQueue]:
    """A queue whose broker is away."""
    with closing(JobQueue(replace(worker.settings, redis_url="redis://127.0.0.1:1/0"))) as made:
        yield made


def batch(count: int) -> dict[str, object]:
    return {f"k{i}": order() for i in range(count)}


def dispatches(worker: WorkerHarness) -> list[int]:
    """How often each slice was dispatched again."""
    return [row[0] for row in worker.rows("SELECT dispatches FROM slices ORDER BY id")]


def is_next_after(worker: WorkerHarness, queue: JobQueue, seconds: int) -> bool:
    """Sweep, and say whether the one slice is due again so many seconds after that, however long it took."""
    [(begun,)] = worker.rows("SELECT clock_timestamp()")
    assert sweep(worker.engine, queue, worker.settings) == 1
    [(earliest, latest)] = worker.rows(
        "SELECT extract(epoch FROM next_dispatch_at - clock_timestamp()),"
        " extract(epoch FROM next_dispatch_at - :begun) FROM slices",
        begun=begun,
    )
    return bool(earliest <= seconds <= latest)


def make_due(worker: WorkerHarness) -> None:
    worker.run("UPDATE slices SET next_dispatch_at = now()")


def test_slices_whose_time_has_come_are_dispatched_to_their_own_queues(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    small = worker.accept(batch(3), per=1, queue=SMALL_QUEUE)
    large = worker.accept(batch(4), per=2)

    assert sweep(worker.engine, queue, worker.settings) == 5
    assert worker.queued(SMALL_QUEUE) == small
    assert worker.queued(LARGE_QUEUE) == large


def test_each_time_a_slice_waits_twice_as_long_up_to_the_most(worker: WorkerHarness, queue: JobQueue) -> None:
    worker.accept(batch(1))

    for times, seconds in enumerate((60, 120, 200, 200), start=1):
        assert is_next_after(worker, queue, seconds)
        assert dispatches(worker) == [times]
        make_due(worker)


def test_a_slice_that_was_dispatched_a_thousand_times_still_has_a_next_time(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    worker.accept(batch(1))
    worker.run("UPDATE slices SET dispatches = 5000")

    assert is_next_after(worker, queue, 200)
    assert dispatches(worker) == [5001]


def test_a_slice_whose_time_has_not_come_or_that_is_decided_is_left_alone(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    waiting, decided = worker.accept(batch(2), per=1)
    settle_slice(worker.context(), decided)
    worker.run("UPDATE slices SET next_dispatch_at = now() + interval '5 s' WHERE id = :id", id=waiting)

    assert sweep(worker.engine, queue, worker.settings) == 0
    assert worker.queued(LARGE_QUEUE) == []


def test_a_slice_in_a_workers_hand_is_left_alone_and_nobody_waits_for_it(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    in_hand, free = worker.accept(batch(2), per=1)

    with transaction(worker.engine) as connection:
        assert claim_slice(connection, in_hand) is not None
        started = time.monotonic()
        swept = sweep(worker.engine, queue, worker.settings)

    assert swept == 1
    assert time.monotonic() - started < 5
    assert worker.queued(LARGE_QUEUE) == [free]


def test_a_slice_is_free_by_the_time_that_its_message_is_there(worker: WorkerHarness) -> None:
    worker.accept(batch(5), per=1)

    class Eager(JobQueue):
        """Has each slice settled before the sweeper has gone on, as an idle worker would."""

        def dispatch(self, slice_ids: Sequence[int], _queue: str, _loads: object = None) -> None:
            for slice_id in slice_ids:
                assert settle_slice(worker.context(), slice_id) is not None

    with closing(Eager(worker.settings)) as eager:
        assert sweep(worker.engine, eager, worker.settings) == 5

    assert worker.rows("SELECT count(*) FROM slices WHERE closed_at IS NULL") == [(0,)]


def test_a_deep_queue_is_not_made_deeper(worker: WorkerHarness, queue: JobQueue) -> None:
    settings = replace(worker.settings, redispatch_most_slices=3, redispatch_least_slices=1)
    worker.accept(batch(10), per=1)

    swept = [sweep(worker.engine, queue, settings) for _ in range(3)]
    with redis.Redis.from_url(worker.settings.redis_url) as client:
        client.rpop(f"ordermill:{LARGE_QUEUE}", 3)
    swept.append(sweep(worker.engine, queue, settings))

    # Three slices are two messages; beyond them it is the one that has been due longest.
    assert swept == [3, 1, 1, 2]
    assert len(worker.messages(LARGE_QUEUE)) == 2


def test_there_is_always_room_for_what_has_been_due_longest(worker: WorkerHarness, queue: JobQueue) -> None:
    slice_ids = worker.accept(batch(40), per=1)
    lost = slice_ids[30:33]
    worker.run(
        "UPDATE slices SET next_dispatch_at = now() - interval '1 hour' WHERE id = ANY(:ids)", ids=lost
    )
    for slice_id in range(1001, 1502):
        queue.dispatch([slice_id], LARGE_QUEUE)

    swept = sweep(worker.engine, queue, worker.settings)

    assert queue.waiting(LARGE_QUEUE) > worker.settings.redispatch_most_slices
    assert swept == worker.settings.redispatch_least_slices == 25
    assert set(lost) <= set(worker.queued(LARGE_QUEUE))


def test_a_deep_queue_does_not_keep_the_other_from_being_served(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    settings = replace(worker.settings, redispatch_most_slices=2)
    worker.accept(batch(10), per=1)
    small = worker.accept(batch(1), per=1, queue=SMALL_QUEUE)

    sweep(worker.engine, queue, settings)

    assert worker.queued(SMALL_QUEUE) == small


def test_when_redis_comes_back_empty_every_undecided_slice_is_dispatched_at_once(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    slice_ids = worker.accept(batch(6), per=1)
    sweep(worker.engine, queue, worker.settings)
    settle_slice(worker.context(), slice_ids[0])
    with redis.Redis.from_url(worker.settings.redis_url) as client:
        client.flushdb()

    swept = [sweep(worker.engine, queue, worker.settings) for _ in range(2)]

    assert swept == [5, 0]
    assert worker.queued(LARGE_QUEUE) == slice_ids[1:]


def test_all_are_made_due_in_portions_and_a_sweep_in_between_dispatches(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    slice_ids = worker.accept(batch(25), per=1)
    worker.run("UPDATE slices SET next_dispatch_at = now() + id * interval '1 minute'")
    worker.run("UPDATE slices SET next_dispatch_at = now() + interval '1 hour' WHERE id % 2 = 0")

    made_due = [make_all_due(worker.engine, portion=10, most_seconds=0) for _ in range(3)]
    in_all = make_all_due(worker.engine)

    assert made_due == [MadeDue(10, False), MadeDue(10, False), MadeDue(5, True)]
    assert in_all == MadeDue(0, True)
    assert sweep(worker.engine, queue, worker.settings) == 25
    assert worker.queued(LARGE_QUEUE) == slice_ids


def test_a_sweep_goes_on_however_many_slices_there_are(worker: WorkerHarness, queue: JobQueue) -> None:
    worker.accept(batch(60), per=1)
    worker.run("UPDATE slices SET next_dispatch_at = now() + interval '1 hour'")

    # All 60 in one call: many portions, each from where the one before has ended.
    assert make_all_due(worker.engine, portion=7) == MadeDue(60, True)
    assert sweep(worker.engine, queue, worker.settings) == 60


def test_a_new_broker_is_not_taken_for_the_old_one_twice(worker: WorkerHarness) -> None:
    worker.accept(batch(1))
    worker.run("UPDATE slices SET next_dispatch_at = now() + interval '1 hour'")

    with closing(JobQueue(worker.settings)) as queue:
        swept = [sweep(worker.engine, queue, worker.settings) for _ in range(3)]

    assert swept == [1, 0, 0]


def test_when_the_broker_is_away_the_slices_stay_due(worker: WorkerHarness, nowhere: JobQueue) -> None:
    worker.accept(batch(2), per=1)

    with pytest.raises(QueueAwayError):
        sweep(worker.engine, nowhere, worker.settings)

    assert dispatches(worker) == [0, 0]


def test_when_the_broker_goes_away_in_between_the_slices_are_due_again_at_once(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    slice_ids = worker.accept(batch(2), per=1)

    class CutOff(JobQueue):
        """Is away by the time that something is to be sent."""

        def dispatch(self, _slice_ids: Sequence[int], _queue: str, _loads: object = None) -> None:
            raise QueueAwayError("the broker cannot be reached")

    with closing(CutOff(worker.settings)) as cut_off, pytest.raises(QueueAwayError):
        sweep(worker.engine, cut_off, worker.settings)

    assert dispatches(worker) == [0, 0]
    assert sweep(worker.engine, queue, worker.settings) == 2
    assert worker.queued(LARGE_QUEUE) == slice_ids


def test_dispatching_to_a_broker_that_is_away_gives_up_soon(nowhere: JobQueue) -> None:
    started = time.monotonic()

    for ask in (nowhere.ping, nowhere.workers, nowhere.has_canary, nowhere.leave_canary):
        with pytest.raises(QueueAwayError):
            ask()
    with pytest.raises(QueueAwayError):
        nowhere.dispatch([1], SMALL_QUEUE)
    with pytest.raises(QueueAwayError):
        nowhere.waiting(SMALL_QUEUE)

    assert time.monotonic() - started < 5


def test_a_message_holds_a_slices_id_and_nothing_of_a_clients(worker: WorkerHarness, queue: JobQueue) -> None:
    (slice_id,) = worker.accept({"secret key": order(email="secret@example.com")})

    queue.dispatch([slice_id], SMALL_QUEUE)

    with redis.Redis.from_url(worker.settings.redis_url) as client:
        (raw,) = client.lrange(f"ordermill:{SMALL_QUEUE}", 0, -1)
    assert b"secret" not in raw
    assert worker.queued(SMALL_QUEUE) == [slice_id]
    assert queue.waiting(SMALL_QUEUE) == 1
    assert queue.waiting(LARGE_QUEUE) == 0
