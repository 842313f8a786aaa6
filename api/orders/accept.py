"""Acceptance of a batch (architecture §1, steps 2 and 3): cut into slices, stored as a job, dispatched."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from api.orders.accept_small import GROUP_BATCH_MAX_ORDERS, GROUP_MAX_BYTES
from api.orders.atomic_size import check_atomic_size
from api.orders.duplicate_numbers import asked_numbers
from shared.domain.batch_options import AS_USUAL, BatchOptions
from shared.domain.job import Job
from shared.domain.kinds import JobForm, JobKind
from shared.domain.slicing import (
    LARGE_SURPLUS_QUEUE,
    SURPLUS_OF,
    WEIGHT_BYTES,
    BatchSize,
    Size,
    SliceLimits,
    SlicePlan,
    lane_of,
    plan_slices,
)
from shared.failpoints import failpoint
from shared.persistence.jobs.insert import NewJob, NewSlice, insert_job
from shared.queue.job_queue import QueueAwayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    import msgspec

    from api.body.batch import Batch
    from api.context import AppContext
    from api.orders.duplicate_numbers import AskedNumbers
    from shared.persistence.jobs.insert import Stored
    from shared.persistence.jobs.retry import JobRetry
    from shared.settings import Settings

_FEW_LINES_BYTES: Final = 1_024
"""Up to so many bytes an order has so few lines that they need not be counted."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Accepted:
    """A job that is inserted, how many slices it has, and whether the queue took them.

    ``size`` and ``lane`` are what it counts as while it is undecided.
    """

    job: Job
    slice_count: int
    dispatched: bool
    size: BatchSize
    lane: str


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """Who asks for what, beside the orders themselves, and under which id it will be known.

    ``waits``: for the outcomes, with the request still open.
    """

    job_id: UUID
    form: JobForm
    client_id: int
    api_key_id: int
    request_id: str
    strict: bool
    waits: bool
    options: BatchOptions = AS_USUAL
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    retry: JobRetry | None = None


def accept_batch(app: AppContext, batch: Batch, request: BatchRequest) -> Accepted:
    """Insert a batch as a job, and dispatch its slices. Once this returns, it is accepted.

    When the queue did not take them, nothing is lost: the sweeper dispatches what is undecided. Raises
    PersistenceError, ApiError where too much waits already or an atomic batch is too large, and
    IdempotencyKeyUsedError when the Idempotency-Key stands for another job; KeysRetriedError where another
    retry has been faster.
    """
    settings = app.settings
    size, lane = _admit(app, batch, request)
    asked = asked_numbers(batch.orders if request.form.kind is JobKind.ORDERS else ())
    limits = _limits(settings)
    options = request.options
    plan = plan_slices(map(_order_size, batch.orders), queue=lane, limits=limits, options=options)
    job = _job_of(request, len(batch.keys), app.clock(), timedelta(days=settings.retention_days))
    new_job = NewJob(
        job=job,
        strict=request.strict,
        queue=plan.queue,
        idempotency_key=request.idempotency_key,
        request_hash=request.request_hash,
        dispatch_after_seconds=settings.redispatch_first_seconds,
        retry=request.retry,
        requested_numbers=_requested(asked, len(batch.keys)),
    )
    slices = _Slices(batch, plan, asked.repeated)
    perhaps_stored = False
    if _may_share(new_job, size):
        small = app.small_batches.accept(new_job, list(slices), plan.loads)
        if small.stored is not None:
            return Accepted(_as_stored(job, small.stored), len(slices), small.dispatched, size, lane)
        perhaps_stored = small.perhaps_stored
    stored = insert_job(app.engine, new_job, slices, perhaps_stored=perhaps_stored)
    failpoint("after-insert")
    due = _slices_due(options, stored)
    dispatched = _dispatch(app, new_job, stored.slice_ids[due], plan.loads[due])
    return Accepted(_as_stored(job, stored), len(slices), dispatched, size, lane)


def _may_share(new_job: NewJob, size: BatchSize) -> bool:
    """Whether it may be inserted in a group commit."""
    options = new_job.job.options
    # A retry is inserted alone, that others have its orders must cost nobody else; and what requests numbers.
    if new_job.retry is not None or new_job.requested_numbers:
        return False
    # What is not dispatched at once, and whole, has no part in what the group's messages are for.
    if options.ordered or options.not_before is not None:
        return False
    return 0 < new_job.job.total <= GROUP_BATCH_MAX_ORDERS and size.size_bytes <= GROUP_MAX_BYTES


def _slices_due(options: BatchOptions, stored: Stored) -> slice:
    """Which slices are to be dispatched at once."""
    if options.is_early(stored.created_at):
        # The sweeper dispatches them when their moment has come.
        return slice(0)
    # Of an ordered one whoever closes a slice dispatches the next.
    return slice(1 if options.ordered else None)


def _job_of(request: BatchRequest, total: int, now: datetime, kept: timedelta) -> Job:
    return Job(
        id=request.job_id,
        client_id=request.client_id,
        api_key_id=request.api_key_id,
        request_id=request.request_id,
        total=total,
        created_at=now,
        expires_at=now + kept,
        form=request.form,
        options=request.options,
        retry_of=None if request.retry is None else request.retry.retry_of,
    )


def _as_stored(job: Job, stored: Stored) -> Job:
    """The job with the moments that it has in the database."""
    return replace(
        job,
        created_at=stored.created_at,
        expires_at=stored.created_at + (job.expires_at - job.created_at),
        finished_at=None if job.total else stored.created_at,
    )


def _requested(asked: AskedNumbers, orders: int) -> Sequence[int]:
    """The numbers that nobody else may be given while the batch is undecided.

    A batch of one order has no other that could be given its number, and is decided in a moment.
    """
    return sorted(asked.numbers) if orders > 1 else ()


def _admit(app: AppContext, batch: Batch, request: BatchRequest) -> tuple[BatchSize, str]:
    """What the batch counts as, and the lane that its client's share has room for. Raises ApiError."""
    if request.options.atomic:
        check_atomic_size(batch.orders, app.settings)
    total, size_bytes = len(batch.orders), sum(map(len, batch.orders))
    if request.options.is_early(app.clock()):
        # It is kept, so its bytes count; but it takes nobody's turn before its moment, and nobody's then.
        size, lane = BatchSize(size_bytes, weight=0), LARGE_SURPLUS_QUEUE
        return size, app.backlog.admit(request.client_id, size, lane, lane)
    size = BatchSize(size_bytes, max(total, size_bytes // WEIGHT_BYTES))
    lane = lane_of(total, size_bytes, waits=request.waits, limits=_limits(app.settings))
    return size, app.backlog.admit(request.client_id, size, lane, SURPLUS_OF[lane])


def _limits(settings: Settings) -> SliceLimits:
    return SliceLimits(
        small_max_orders=settings.small_max_orders,
        small_max_bytes=settings.small_max_bytes,
        waited_slice_max_orders=settings.waited_slice_max_orders,
        slice_max_orders=settings.slice_max_orders,
        slice_max_bytes=settings.slice_max_bytes,
        slice_max_lines=settings.slice_max_lines,
    )


def _order_size(order: msgspec.Raw) -> Size:
    size_bytes = len(order)
    # Not read: it is an estimate, and what is spelled otherwise is still bounded by its bytes.
    lines = bytes(order).count(b'"qty"') if size_bytes > _FEW_LINES_BYTES else 1
    return Size(size_bytes, lines)


def _dispatch(app: AppContext, new_job: NewJob, slice_ids: Sequence[int], loads: Sequence[int]) -> bool:
    if not slice_ids:
        return False
    try:
        app.queue.dispatch(slice_ids, new_job.queue, loads)
    except QueueAwayError as error:
        _log.warning("not_dispatched", job_ids=[str(new_job.job.id)], fault=str(error))
        return False
    failpoint("after-dispatch")
    return True


class _Slices:
    """A batch's slices. Each is made when it is its turn, so that the batch is not in memory twice."""

    def __init__(self, batch: Batch, plan: SlicePlan, repeated: Sequence[int]) -> None:
        self._batch = batch
        self._ranges = plan.ranges
        self._repeated = repeated

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

    def _repeated_within(self, positions: range) -> Sequence[int]:
        first, last = (bisect_left(self._repeated, edge) for edge in (positions.start, positions.stop))
        return self._repeated[first:last]
