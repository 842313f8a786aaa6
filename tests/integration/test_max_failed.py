"""A job cancels itself as soon as more of its orders are rejected than were to be (contract §2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.core.database import transaction
from shared.persistence.jobs.close import ClosedSlice, Closing, close_slices
from shared.persistence.jobs.progress import find_job
from shared.persistence.jobs.slices import claim_slice
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import line, order
from tests.support.settling import LeftError, settle_slice
from tests.support.until import until
from worker.settle import cancel_rest
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.domain.job import Job
    from tests.support.worker_harness import WorkerHarness

GOOD = order()
BAD = order(line("NO-SUCH-LAMP"))


def job_of(worker: WorkerHarness) -> Job:
    job = find_job(worker.engine, worker.jobs[-1])
    assert job is not None
    return job


def counts(worker: WorkerHarness) -> tuple[str, int, int, int]:
    """State, ok, failed and cancelled; once nothing is pending."""
    job = job_of(worker)
    assert job.pending == 0
    return job.state.value, job.ok, job.failed, job.cancelled


def batch(*orders: dict[str, Any]) -> dict[str, Any]:
    return {f"k{n}": one for n, one in enumerate(orders)}


@pytest.mark.parametrize("most", [0, 1, 2])
def test_as_soon_as_more_are_rejected_what_is_not_decided_is_cancelled(
    plenty_of_lamps: WorkerHarness, most: int
) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept(batch(GOOD, *[BAD] * 5, GOOD, GOOD), per=1, max_failed=most)

    for slice_id in slice_ids[: most + 1]:
        settle_slice(worker.context(), slice_id)
    undecided = job_of(worker).pending
    settle_slice(worker.context(), slice_ids[most + 1])

    assert undecided == 8 - (most + 1)
    assert counts(worker) == ("cancelled", 1, most + 1, 8 - (most + 2))
    reasons = {one["errors"][0]["reason"] for one in worker.outcomes().values() if one["status"] == "no"}
    assert reasons == {"item_unknown", "cancelled"}


def test_as_many_as_that_may_be_rejected(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps

    worker.settle(batch(BAD, BAD, GOOD), per=1, max_failed=2)

    assert counts(worker) == ("partially_succeeded", 1, 2, 0)


def test_a_job_whose_last_slice_is_one_too_many_is_done_as_any(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps

    worker.settle(batch(GOOD, BAD), per=1, max_failed=0)
    apart = counts(worker), job_of(worker).cancel_requested_at
    worker.settle(batch(GOOD, BAD), per=2, max_failed=0)

    assert apart == (("partially_succeeded", 1, 1, 0), None)
    assert counts(worker) == apart[0]


def test_slices_that_are_settled_together_count_together(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept(batch(*[BAD] * 40), per=1, max_failed=10)

    settle_message(worker.context(), slice_ids[:20], LARGE_QUEUE)

    assert counts(worker) == ("cancelled", 0, 20, 20)


def test_a_job_without_the_limit_goes_on_beside_one_with_it(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    limited = worker.accept(batch(*[BAD] * 3), per=1, max_failed=0)
    plain = worker.accept(batch(*[BAD] * 3), per=1)

    settle_message(worker.context(), [limited[0], plain[0]], LARGE_QUEUE)
    settle_message(worker.context(), [*limited, *plain], LARGE_QUEUE)

    assert counts(worker) == ("failed", 0, 3, 0)
    assert worker.rows("SELECT cancelled_count FROM jobs ORDER BY id") == [(2,), (0,)]


def test_an_ordered_job_stops_where_it_was_one_too_many(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept(batch(GOOD, BAD, GOOD, GOOD), per=1, max_failed=0, ordered=True)

    for slice_id in slice_ids[:2]:
        settle_slice(worker.context(), slice_id)

    assert counts(worker) == ("cancelled", 1, 1, 2)


@contextmanager
def closing(worker: WorkerHarness, slice_id: int) -> Iterator[Closing]:
    """A transaction that has closed a slice of one order, rejected, and commits at the end of the block."""
    with transaction(worker.engine) as connection:
        assert claim_slice(connection, slice_id) is not None
        yield close_slices(
            connection,
            [
                ClosedSlice(
                    id=slice_id,
                    job_id=worker.jobs[-1],
                    order_count=1,
                    job_total=5,
                    outcomes=b'{"k":{}}',
                    ok_count=0,
                    codes={"-1": 1},
                    limited=True,
                )
            ],
        )


def test_of_two_that_are_too_many_together_and_closed_at_once_one_stops_the_job(
    bare_worker: WorkerHarness,
) -> None:
    worker = bare_worker
    slice_ids = worker.accept(batch(*[BAD] * 5), per=1, max_failed=1)

    def close_the_other() -> Closing:
        with closing(worker, slice_ids[1]) as closed:
            return closed

    with ThreadPoolExecutor(1) as pool:
        with closing(worker, slice_ids[0]) as first:
            other = pool.submit(close_the_other)
            until(lambda: waiting_for_locks(worker.engine) == 1, "the other waits for the first one's count")
        second = other.result(30)

    assert first.stopped == []
    assert second.stopped == worker.jobs


def test_two_workers_never_decide_many_more_than_the_limit(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    for _ in range(5):
        slice_ids = worker.accept(batch(*[BAD] * 40), per=1, max_failed=5)

        def work(share: list[int]) -> None:
            context = worker.context()
            for slice_id in share:
                try:
                    settle_slice(context, slice_id)
                except LeftError:
                    continue

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, [slice_ids[::2], slice_ids[1::2]]))

        # The one that was too many, and what the other worker had in hand.
        state, ok, failed, cancelled = counts(worker)
        assert (state, ok, failed + cancelled) == ("cancelled", 0, 40)
        assert failed in {6, 7}


def test_a_worker_that_dies_with_the_limit_passed_leaves_a_job_that_decides_nothing_more(
    plenty_of_lamps: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept(batch(BAD, GOOD, GOOD), per=1, max_failed=0)
    with monkeypatch.context() as patched:
        # What follows the commit does not happen.
        patched.setattr(cancel_rest, "cancel_rest", lambda *_: None)
        settle_slice(worker.context(), slice_ids[0])
    assert job_of(worker).state.value == "cancelling"

    for slice_id in slice_ids[1:]:
        settle_slice(worker.context(), slice_id)

    assert counts(worker) == ("cancelled", 0, 1, 2)
