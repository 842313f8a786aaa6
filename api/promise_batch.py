"""From a batch to a promise (HOUSE 1, steps 2 and 3): cut into slices, stored, and then dispatched."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import structlog
import uuid6

from api.repeated_numbers import repeated_numbers
from shared.domain.job import Job, JobForm
from shared.domain.slicing import SlicePlan, plan_slices
from shared.fault_points import reached
from shared.job_queue import QueueAwayError
from shared.persistence.promising import NewSlice, Promise, promise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.batch_reader import Batch
    from api.parts import Parts

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Promised:
    """A job that is stored, and the ids of its slices, in order."""

    job: Job
    slice_ids: list[int]
    queue: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for what, beside the orders themselves."""

    form: JobForm
    api_key_id: int
    request_id: str
    strict: bool
    idempotency_key: str | None = None
    request_hash: bytes | None = None


def promise_batch(parts: Parts, batch: Batch, asked: Asked) -> Promised:
    """Store a batch as a job. Once this returns, it is accepted.

    Raises PersistenceError, and PromisedBeforeError when the Idempotency-Key stands for another job.
    """
    settings, now = parts.settings, parts.clock()
    plan = plan_slices(
        len(batch.keys),
        sync_max_orders=settings.sync_max_orders,
        slice_max_orders=settings.slice_max_orders,
    )
    job = Job(
        id=uuid6.uuid7(),
        api_key_id=asked.api_key_id,
        request_id=asked.request_id,
        total=len(batch.keys),
        created_at=now,
        expires_at=now + timedelta(days=settings.retention_days),
        form=asked.form,
    )
    promised = Promise(
        job=job,
        strict=asked.strict,
        queue=plan.queue,
        idempotency_key=asked.idempotency_key,
        request_hash=asked.request_hash,
        next_dispatch_at=now + timedelta(seconds=settings.redispatch_first_seconds),
    )
    slice_ids = promise(parts.engine, promised, _Slices(batch, plan))
    reached("after-promise")
    return Promised(job=job, slice_ids=slice_ids, queue=plan.queue)


def dispatch(parts: Parts, promised: Promised) -> bool:
    """Hand the slices to the queue, and tell whether it took them.

    When it did not, nothing is lost: the sweeper dispatches what is undecided.
    """
    try:
        parts.queue.dispatch(promised.slice_ids, promised.queue)
    except QueueAwayError as error:
        _log.warning("not_dispatched", job_id=str(promised.job.id), fault=str(error))
        return False
    reached("after-dispatch")
    return True


class _Slices:
    """A batch's slices. Each is made when it is its turn, so that the batch is not in memory twice."""

    def __init__(self, batch: Batch, plan: SlicePlan) -> None:
        self._batch = batch
        self._ranges = plan.ranges
        self._repeated = repeated_numbers(batch.orders)

    def __len__(self) -> int:
        return len(self._ranges)

    def __iter__(self) -> Iterator[NewSlice]:
        for number, positions in enumerate(self._ranges):
            yield NewSlice(
                number=number,
                first_position=positions.start,
                order_count=len(positions),
                body=self._body(positions),
                repeated_numbers=self._repeated_within(positions),
            )

    def _body(self, positions: range) -> bytes:
        keys = self._batch.keys[positions.start : positions.stop]
        orders = self._batch.orders[positions.start : positions.stop]
        members = [b"%b:%b" % (orjson.dumps(key), order) for key, order in zip(keys, orders, strict=True)]
        return b"{" + b",".join(members) + b"}"

    def _repeated_within(self, positions: range) -> list[int]:
        first, last = (bisect_left(self._repeated, edge) for edge in (positions.start, positions.stop))
        return self._repeated[first:last]
