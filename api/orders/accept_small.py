"""Small batches that come at the same time are stored in one commit, and sent to the workers together."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from api.orders.group_commit import Member, Rounds
from shared.domain.slicing import SLICE_QUEUES
from shared.failpoints import reached
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.insert_many import PromisesUnknownError
from shared.queue.job_queue import QueueAwayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from shared.persistence.jobs.insert import NewSlice, Promise, Stored

TOGETHER_MAX_BYTES: Final = 1024 * 1024
"""Orders in one such commit: they are held twice for its time, and a large one would keep the others."""

TOGETHER_MAX_ORDERS: Final = 100
"""Orders of one batch in it, for the same reason: those of a larger one are better copied."""

_log = structlog.get_logger(__name__)


class Store(Protocol):
    """Stores several jobs at once; one that is left out has to be stored alone."""

    def __call__(self, promises: Sequence[tuple[Promise, Sequence[NewSlice]]], /) -> dict[UUID, Stored]:
        """Give what was stored by job. Raises PersistenceError."""


class Dispatch(Protocol):
    """Hands slices to a queue."""

    def __call__(self, slice_ids: Sequence[int], queue: str, loads: Sequence[int], /) -> None:
        """Send messages. Raises QueueAwayError."""


@dataclass(eq=False, kw_only=True)
class Shared(Member):
    """A small batch, and what came of storing it together with others.

    ``stored`` None: it has to be stored alone; ``perhaps_stored``: for all that is known, it was.
    """

    promised: Promise
    slices: Sequence[NewSlice]
    loads: Sequence[int]
    stored: Stored | None = None
    dispatched: bool = False
    perhaps_stored: bool = False


class PromiseTogether:
    """Where the small batches of one process meet."""

    def __init__(self, store: Store, dispatch: Dispatch) -> None:
        self._store = store
        self._dispatch = dispatch
        self._rounds = Rounds(self._promise_all, TOGETHER_MAX_BYTES)

    def promise(self, promised: Promise, slices: Sequence[NewSlice], loads: Sequence[int]) -> Shared:
        """Store a small batch and hand its slices to the queue, perhaps with others; tell what came of it.

        ``loads`` are those of its slices (``SlicePlan``).

        A fault of the database is not raised, for it may be of one's making: each is to be stored alone then.
        """
        size_bytes = sum(len(new.body) for new in slices)
        mine = Shared(
            id=promised.job.id, size_bytes=size_bytes, promised=promised, slices=slices, loads=loads
        )
        self._rounds.join(mine)
        return mine

    @contextmanager
    def until_answered(self, job_id: UUID) -> Iterator[None]:
        """Have the others go on at the end of the block, at the latest, if they wait for this request."""
        try:
            yield
        finally:
            self._rounds.end(job_id)

    def _promise_all(self, together: Sequence[Shared]) -> None:
        try:
            stored = self._store([(one.promised, one.slices) for one in together])
        except PersistenceError as error:
            _log.info("stored_apart", batches=len(together), fault=str(error))
            for one in together:
                one.perhaps_stored = isinstance(error, PromisesUnknownError)
            return
        for one in together:
            one.stored = stored.get(one.promised.job.id)
        if stored:
            reached("after-promise")
            self._dispatch_all([one for one in together if one.stored is not None])

    def _dispatch_all(self, stored: Sequence[Shared]) -> None:
        # Who waits first; and what goes to one queue shares its messages.
        for queue in SLICE_QUEUES:
            those = [one for one in stored if one.promised.queue == queue]
            if those and not self._dispatch_to(queue, those):
                return
        reached("after-dispatch")

    def _dispatch_to(self, queue: str, those: Sequence[Shared]) -> bool:
        slice_ids = chain.from_iterable(one.stored.slice_ids for one in those if one.stored is not None)
        loads = chain.from_iterable(one.loads for one in those)
        try:
            self._dispatch(list(slice_ids), queue, list(loads))
        except QueueAwayError as error:
            told = [str(one.promised.job.id) for one in those]
            _log.warning("not_dispatched", job_ids=told, fault=str(error))
            return False
        for one in those:
            one.dispatched = True
        return True
