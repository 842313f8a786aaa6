"""Acceptance of small batches: those that arrive together are inserted by one group commit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from api.orders.group_commit import GroupCommit, Submission
from shared.domain.slicing import SLICE_QUEUES
from shared.failpoints import failpoint
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.insert_many import JobInsertsUnknownError
from shared.queue.job_queue import QueueAwayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from shared.persistence.jobs.insert import NewJob, NewSlice, Stored

GROUP_MAX_BYTES: Final = 1024 * 1024
"""Orders in one group: they are held twice while it is committed, and a large one would keep the others."""

GROUP_BATCH_MAX_ORDERS: Final = 100
"""Orders of one batch in it, for the same reason: those of a larger one are better copied."""

_log = structlog.get_logger(__name__)


class Insert(Protocol):
    """Inserts several jobs at once; one that is left out has to be inserted alone."""

    def __call__(self, new_jobs: Sequence[tuple[NewJob, Sequence[NewSlice]]], /) -> dict[UUID, Stored]:
        """Give what was inserted by job. Raises PersistenceError."""


class Dispatch(Protocol):
    """Dispatches slices."""

    def __call__(self, slice_ids: Sequence[int], queue: str, loads: Sequence[int], /) -> None:
        """Send messages. Raises QueueAwayError."""


@dataclass(eq=False, kw_only=True)
class SmallBatch(Submission):
    """A small batch, and what came of inserting it in a group.

    ``stored`` None: it has to be inserted alone; ``perhaps_stored``: for all that is known, it was.
    """

    new_job: NewJob
    slices: Sequence[NewSlice]
    loads: Sequence[int]
    stored: Stored | None = None
    dispatched: bool = False
    perhaps_stored: bool = False


class SmallBatches:
    """The small batches of one process, and their group commit."""

    def __init__(self, insert: Insert, dispatch: Dispatch) -> None:
        self._insert = insert
        self._dispatch = dispatch
        self._groups = GroupCommit(self._insert_all, GROUP_MAX_BYTES)

    def accept(self, new_job: NewJob, slices: Sequence[NewSlice], loads: Sequence[int]) -> SmallBatch:
        """Insert a small batch and dispatch its slices, perhaps with others; tell what came of it.

        ``loads`` are those of its slices (``SlicePlan``).

        An error of the database is not raised, for it may be of one's making: each is to be inserted alone.
        """
        size_bytes = sum(len(new.body) for new in slices)
        batch = SmallBatch(
            id=new_job.job.id, size_bytes=size_bytes, new_job=new_job, slices=slices, loads=loads
        )
        self._groups.submit(batch)
        return batch

    @contextmanager
    def until_answered(self, job_id: UUID) -> Iterator[None]:
        """Have the others go on at the end of the block, at the latest, if they wait for this request."""
        try:
            yield
        finally:
            self._groups.finish(job_id)

    def _insert_all(self, group: Sequence[SmallBatch]) -> None:
        try:
            stored = self._insert([(batch.new_job, batch.slices) for batch in group])
        except PersistenceError as error:
            _log.info("stored_apart", batches=len(group), fault=str(error))
            for batch in group:
                batch.perhaps_stored = isinstance(error, JobInsertsUnknownError)
            return
        for batch in group:
            batch.stored = stored.get(batch.new_job.job.id)
        if stored:
            failpoint("after-insert")
            self._dispatch_all([batch for batch in group if batch.stored is not None])

    def _dispatch_all(self, stored: Sequence[SmallBatch]) -> None:
        # Who waits first; and what goes to one queue shares its messages.
        for queue in SLICE_QUEUES:
            those = [batch for batch in stored if batch.new_job.queue == queue]
            if those and not self._dispatch_to(queue, those):
                return
        failpoint("after-dispatch")

    def _dispatch_to(self, queue: str, those: Sequence[SmallBatch]) -> bool:
        slice_ids = chain.from_iterable(batch.stored.slice_ids for batch in those if batch.stored is not None)
        loads = chain.from_iterable(batch.loads for batch in those)
        try:
            self._dispatch(list(slice_ids), queue, list(loads))
        except QueueAwayError as error:
            job_ids = [str(batch.new_job.job.id) for batch in those]
            _log.warning("not_dispatched", job_ids=job_ids, fault=str(error))
            return False
        for batch in those:
            batch.dispatched = True
        return True
