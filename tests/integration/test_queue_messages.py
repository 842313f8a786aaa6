"""Slices travel in handfuls; a message holds ids and no more."""

from __future__ import annotations

import pytest

from shared.domain.slicing import LARGE_QUEUE, MESSAGE_SLICES, SLICE_QUEUES, SMALL_QUEUE, WAITED_QUEUE
from shared.queue.job_queue import JobQueue
from tests.support.worker_harness import WorkerHarness


@pytest.mark.parametrize(
    ("name", "slices", "lengths"),
    [
        (SMALL_QUEUE, 2, [2]),
        (SMALL_QUEUE, 15, [15]),
        (SMALL_QUEUE, 16, [8, 8]),
        (SMALL_QUEUE, 25, [12, 13]),
        (SMALL_QUEUE, 51, [17, 17, 17]),
        (SMALL_QUEUE, 100, [25] * 4),
        (WAITED_QUEUE, 2, [2]),
        (WAITED_QUEUE, 40, [5] * 8),
        (LARGE_QUEUE, 2, [2]),
        (LARGE_QUEUE, 4, [2, 2]),
        (LARGE_QUEUE, 10, [5, 5]),
        (LARGE_QUEUE, 41, [4, 5, 4, 5, 4, 5, 4, 5, 5]),
    ],
)
def test_slices_are_spread_evenly_over_few_messages(
    worker: WorkerHarness, queue: JobQueue, name: str, slices: int, lengths: list[int]
) -> None:
    slice_ids = list(range(1, slices + 1))

    queue.dispatch(slice_ids, name)

    assert [len(one) for one in worker.messages(name) if isinstance(one, list)] == lengths
    assert worker.queued(name) == slice_ids
    assert max(lengths) <= MESSAGE_SLICES[name]


@pytest.mark.parametrize("name", SLICE_QUEUES)
def test_a_single_slice_travels_as_its_id_alone(worker: WorkerHarness, queue: JobQueue, name: str) -> None:
    queue.dispatch([7], name)
    queue.dispatch([], name)

    assert worker.messages(name) == [7]
