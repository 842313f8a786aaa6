"""A real Celery worker, as a process of its own, on a real Redis: what it serves first and how it ends."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import cast

import pytest
import redis

from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE, WAITED_QUEUE
from shared.queue.job_queue import HEARTBEAT_SECONDS, JobQueue
from tests.support.orders import order
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness
from tests.support.worker_process import running_worker
from worker.maintenance.redispatch import sweep

_PATIENCE_SECONDS = 30


pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


def undecided(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT id FROM slices WHERE closed_at IS NULL ORDER BY id")]


def slow_down(worker: WorkerHarness) -> None:
    """Every order takes a second to be written."""
    worker.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow()"
    )


def batch(count: int) -> dict[str, object]:
    return {f"k{i}": order() for i in range(count)}


def test_a_worker_serves_who_waits_first_and_says_that_it_lives(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    large = worker.accept(batch(60), per=5)
    waited = worker.accept(batch(6), per=3, queue=WAITED_QUEUE)
    small = worker.accept(batch(4), per=1, queue=SMALL_QUEUE)
    queue.dispatch(large, LARGE_QUEUE)
    queue.dispatch(waited, WAITED_QUEUE)
    queue.dispatch(small, SMALL_QUEUE)
    assert queue.workers() == []

    with running_worker(worker.settings) as process:
        until(lambda: undecided(worker) == [], "all slices are decided")
        (name,) = queue.workers()
        with redis.Redis.from_url(worker.settings.redis_url) as client:
            lives_seconds = client.ttl(f"ordermill:worker:{name}")
        process.terminate()
        exit_code = process.wait(_PATIENCE_SECONDS)
        left = queue.workers()

    closed = [row[0] for row in worker.rows("SELECT id FROM slices ORDER BY closed_at, id")]
    assert closed == [*small, *waited, *large]
    assert 0 < lives_seconds <= 3 * HEARTBEAT_SECONDS
    assert (exit_code, left) == (0, [])
    assert worker.count("orders") == 70


def test_whoever_is_not_waited_for_gets_a_share_of_a_worker_that_others_keep_busy(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    large = worker.accept(batch(10), per=1)
    for slice_id in large:
        queue.dispatch([slice_id], LARGE_QUEUE)
    small = worker.accept(batch(100), per=1, queue=SMALL_QUEUE)
    for slice_id in small:
        queue.dispatch([slice_id], SMALL_QUEUE)

    with running_worker(worker.settings):
        until(lambda: undecided(worker) == [], "all slices are decided")

    closed = [row[0] for row in worker.rows("SELECT id FROM slices ORDER BY closed_at, id")]
    # Every fifth message was one of theirs.
    assert set(large) <= set(closed[:55])
    assert set(closed[:4]) <= set(small)


def test_a_worker_that_is_told_to_stop_finishes_its_slice_and_leaves_the_rest(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    slow_down(worker)
    slice_ids = worker.accept(batch(6), per=1)
    for slice_id in slice_ids:
        queue.dispatch([slice_id], LARGE_QUEUE)

    with running_worker(worker.settings) as process:
        until(lambda: worker.rows("SELECT id FROM slices WHERE attempts > 0") != [], "it has begun")
        process.terminate()
        exit_code = process.wait(_PATIENCE_SECONDS)

    assert exit_code == 0
    decided = sorted(set(slice_ids) - set(undecided(worker)))
    # What it had begun, and perhaps the one that it had fetched meanwhile.
    assert decided in ([slice_ids[0]], slice_ids[:2])
    assert worker.rows("SELECT count(*) FROM slices WHERE attempts > 0 AND closed_at IS NULL") == [(0,)]
    assert set(worker.queued(LARGE_QUEUE)) == set(undecided(worker))


def test_what_a_killed_worker_had_in_hand_is_done_once_by_the_next(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    slow_down(worker)
    slice_ids = worker.accept(batch(2), per=1)
    queue.dispatch(slice_ids, LARGE_QUEUE)
    with running_worker(worker.settings) as process:
        until(lambda: worker.rows("SELECT id FROM slices WHERE attempts > 0") != [], "it has begun")
        os.killpg(process.pid, signal.SIGKILL)
    worker.run("DROP TRIGGER slow ON orders")
    assert worker.count("orders") <= 1

    def healed() -> bool:
        # PostgreSQL holds a dead worker's locks until it has done what it was asked for.
        sweep(worker.engine, queue, replace(worker.settings, redispatch_first_seconds=0.1))
        return undecided(worker) == []

    with running_worker(worker.settings):
        until(healed, "all slices are decided")

    assert worker.count("orders") == 2


def test_a_message_that_is_no_slice_of_ours_stops_nobody(worker: WorkerHarness, queue: JobQueue) -> None:
    (slice_id,) = worker.accept(batch(1), queue=SMALL_QUEUE)
    queue.dispatch([4711, 2**62, slice_id, slice_id], SMALL_QUEUE)

    with running_worker(worker.settings):
        until(lambda: undecided(worker) == [], "the slice is decided")

    assert worker.count("orders") == 1


def test_redis_holds_no_result_and_nothing_of_a_batch_that_is_done(
    worker: WorkerHarness, queue: JobQueue
) -> None:
    def left_in_redis() -> dict[str, int]:
        """Seconds to live by name, -1 for ever; without what waits to be acknowledged."""
        with redis.Redis.from_url(worker.settings.redis_url, decode_responses=True) as client:
            names = {name for name in client.scan_iter() if not name.startswith("ordermill:unacked")}
            return {name: cast("int", client.ttl(name)) for name in names}

    def decide(count: int) -> None:
        for _ in range(count):
            queue.dispatch(worker.accept(batch(6), per=3), LARGE_QUEUE)
            queue.dispatch(worker.accept(batch(2), per=1, queue=SMALL_QUEUE), SMALL_QUEUE)
        until(lambda: undecided(worker) == [], "all slices are decided")
        until(lambda: not worker.queued(LARGE_QUEUE) + worker.queued(SMALL_QUEUE), "no message waits")

    with running_worker(worker.settings):
        decide(1)
        once = left_in_redis()
        decide(20)
        many_times = left_in_redis()

    assert many_times.keys() == once.keys()
    for_ever = {name for name, seconds in once.items() if seconds < 0}
    # Celery's own: which queue is bound to which exchange, once each.
    assert all("_kombu.binding." in name for name in for_ever), for_ever
