"""Small batches in a group commit: each is told what came of it, and none of another one's error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import uuid6

from api.orders.accept_small import SmallBatches
from shared.domain.job import Job
from shared.domain.slicing import SMALL_QUEUE
from shared.persistence.core.errors import DatabaseAwayError, PermanentError, PersistenceError
from shared.persistence.jobs.insert import NewJob, NewSlice, Stored
from shared.persistence.jobs.insert_many import JobInsertsUnknownError
from shared.queue.job_queue import QueueAwayError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SLICE = NewSlice(number=0, first_position=0, order_count=1, body=b'{"a":{}}')
STORED = Stored([7], NOON)


class Store:
    """A store and a queue that remember, or fail as told."""

    def __init__(self, fault: PersistenceError | None = None, *, queue_is_away: bool = False) -> None:
        self.fault, self.queue_is_away = fault, queue_is_away
        self.sent: list[int] = []

    def insert(self, new_jobs: Sequence[tuple[NewJob, Sequence[NewSlice]]], /) -> dict[UUID, Stored]:
        if self.fault is not None:
            raise self.fault
        return {new.job.id: STORED for new, _ in new_jobs}

    def dispatch(self, slice_ids: Sequence[int], queue: str, loads: Sequence[int], /) -> None:
        assert (queue, loads) == (SMALL_QUEUE, [40])
        if self.queue_is_away:
            raise QueueAwayError("away")
        self.sent += slice_ids


def new_job() -> NewJob:
    job = Job(
        id=uuid6.uuid7(),
        client_id=1,
        api_key_id=1,
        request_id="r-1",
        total=1,
        created_at=NOON,
        expires_at=NOON + timedelta(days=30),
    )
    return NewJob(job=job, strict=False, queue=SMALL_QUEUE, dispatch_after_seconds=30)


@pytest.mark.parametrize(
    ("fault", "perhaps_stored"),
    [
        (PermanentError("a constraint"), False),
        (DatabaseAwayError("nobody answers"), False),
        (JobInsertsUnknownError("gone in the middle"), True),
    ],
)
def test_an_error_of_the_database_leaves_each_batch_to_be_inserted_alone(
    fault: PersistenceError, perhaps_stored: bool
) -> None:
    store = Store(fault)

    batch = SmallBatches(store.insert, store.dispatch).accept(new_job(), [SLICE], [40])

    assert (batch.stored, batch.dispatched, batch.perhaps_stored) == (None, False, perhaps_stored)
    assert store.sent == []


def test_what_is_inserted_is_dispatched_once() -> None:
    store = Store()

    batch = SmallBatches(store.insert, store.dispatch).accept(new_job(), [SLICE], [40])

    assert (batch.stored, batch.dispatched, batch.perhaps_stored) == (STORED, True, False)
    assert store.sent == [7]


def test_a_batch_is_accepted_while_the_queue_is_away() -> None:
    store = Store(queue_is_away=True)

    batch = SmallBatches(store.insert, store.dispatch).accept(new_job(), [SLICE], [40])

    assert (batch.stored, batch.dispatched) == (STORED, False)
