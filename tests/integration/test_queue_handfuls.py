"""Small slices travel in handfuls, large ones alone; a message holds ids and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE
from shared.job_queue import MESSAGE_SLICES_MAX, JobQueue
from shared.settings import Settings
from tests.integration.mill import Mill, open_mill


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        yield made


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    with closing(JobQueue(settings)) as made:
        yield made


@pytest.mark.parametrize(
    ("slices", "lengths"),
    [(2, [2]), (15, [15]), (16, [8, 8]), (25, [12, 13]), (51, [17, 17, 17]), (100, [25] * 4)],
)
def test_small_slices_are_spread_evenly_over_few_messages(
    mill: Mill, queue: JobQueue, slices: int, lengths: list[int]
) -> None:
    slice_ids = list(range(1, slices + 1))

    queue.dispatch(slice_ids, SMALL_QUEUE)

    assert [len(one) for one in mill.messages(SMALL_QUEUE) if isinstance(one, list)] == lengths
    assert mill.queued(SMALL_QUEUE) == slice_ids
    assert max(lengths) <= MESSAGE_SLICES_MAX


def test_a_single_slice_travels_as_its_id_alone(mill: Mill, queue: JobQueue) -> None:
    queue.dispatch([7], SMALL_QUEUE)
    queue.dispatch([], SMALL_QUEUE)

    assert mill.messages(SMALL_QUEUE) == [7]


def test_large_slices_have_a_message_each(mill: Mill, queue: JobQueue) -> None:
    queue.dispatch([1, 2, 3], LARGE_QUEUE)

    assert mill.messages(LARGE_QUEUE) == [1, 2, 3]
