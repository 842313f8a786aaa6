"""What the small batches of one commit share, and what they do not: a fault is told to its maker alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import uuid6

from api.orders.accept_small import PromiseTogether
from shared.domain.job import Job
from shared.domain.slicing import SMALL_QUEUE
from shared.persistence.core.errors import DatabaseAwayError, PermanentError, PersistenceError
from shared.persistence.jobs.insert import NewSlice, Promise, Stored
from shared.persistence.jobs.insert_many import PromisesUnknownError
from shared.queue.job_queue import QueueAwayError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SLICE = NewSlice(number=0, first_position=0, order_count=1, body=b'{"a":{}}')
STORED = Stored([7], NOON)


class Shelf:
    """A store and a queue that remember, or fail as told."""

    def __init__(self, fault: PersistenceError | None = None, *, queue_is_away: bool = False) -> None:
        self.fault, self.queue_is_away = fault, queue_is_away
        self.sent: list[int] = []

    def store(self, promises: Sequence[tuple[Promise, Sequence[NewSlice]]], /) -> dict[UUID, Stored]:
        if self.fault is not None:
            raise self.fault
        return {promised.job.id: STORED for promised, _ in promises}

    def dispatch(self, slice_ids: Sequence[int], queue: str, loads: Sequence[int], /) -> None:
        assert (queue, loads) == (SMALL_QUEUE, [40])
        if self.queue_is_away:
            raise QueueAwayError("away")
        self.sent += slice_ids


def promised() -> Promise:
    job = Job(
        id=uuid6.uuid7(),
        api_key_id=1,
        request_id="r-1",
        total=1,
        created_at=NOON,
        expires_at=NOON + timedelta(days=30),
    )
    return Promise(job=job, strict=False, queue=SMALL_QUEUE, dispatch_after_seconds=30)


@pytest.mark.parametrize(
    ("fault", "perhaps_stored"),
    [
        (PermanentError("a constraint"), False),
        (DatabaseAwayError("nobody answers"), False),
        (PromisesUnknownError("gone in the middle"), True),
    ],
)
def test_a_fault_of_the_database_is_told_and_not_raised(
    fault: PersistenceError, perhaps_stored: bool
) -> None:
    shelf = Shelf(fault)

    mine = PromiseTogether(shelf.store, shelf.dispatch).promise(promised(), [SLICE], [40])

    assert (mine.stored, mine.dispatched, mine.perhaps_stored) == (None, False, perhaps_stored)
    assert shelf.sent == []


def test_what_is_stored_is_sent_once() -> None:
    shelf = Shelf()

    mine = PromiseTogether(shelf.store, shelf.dispatch).promise(promised(), [SLICE], [40])

    assert (mine.stored, mine.dispatched, mine.perhaps_stored) == (STORED, True, False)
    assert shelf.sent == [7]


def test_a_queue_that_is_away_is_told_and_not_raised() -> None:
    shelf = Shelf(queue_is_away=True)

    mine = PromiseTogether(shelf.store, shelf.dispatch).promise(promised(), [SLICE], [40])

    assert (mine.stored, mine.dispatched) == (STORED, False)
