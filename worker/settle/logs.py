"""Log lines of settling: one for each slice that was closed, and for each that was not."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.persistence.core.errors import TransientError
from shared.persistence.jobs.slices import TakenSlice
from worker.settle.retry import Into, Retry, Split
from worker.settle.step import Step
from worker.settle.time_limits import OrderTooSlowError, TimeUpError

log = structlog.get_logger()

_EXPECTED = (TransientError, TimeUpError, OrderTooSlowError, MemoryError)
"""What needs no traceback; of running out of memory because making one needs memory."""


def bind_requests(slices: Sequence[TakenSlice]) -> None:
    """Have each line of what is settled now tell whose it is: ``request_id`` and ``job_id``, or all ids."""
    request_ids = list(dict.fromkeys(one.request_id for one in slices))
    job_ids = {one.job_id for one in slices}
    if len(request_ids) > 1:
        structlog.contextvars.bind_contextvars(request_ids=request_ids)
    elif request_ids:
        structlog.contextvars.bind_contextvars(request_id=request_ids[0])
    if len(job_ids) == 1:
        structlog.contextvars.bind_contextvars(job_id=str(*job_ids))


def log_step(step: Step) -> None:
    """Log what one try came to, unless it is left for later."""
    ids, error = list(step.part.slice_ids), step.error
    match step.decision:
        case None if not step.reports:
            log.debug("slice_not_needed")
        case Retry() if step.decision.at_once:
            # Not of each try: an outage has many.
            if step.part.tries == 1:
                log.info("waiting_for_the_database", slice_ids=ids)
        case Retry():
            log.info("slices_tried_again", slice_ids=ids, attempt=step.part.tries, reason=str(error))
        case Split(Into.SLICES):
            log.warning(
                "slices_taken_apart", slice_ids=ids, reason=_reason(error), exc_info=_traceback(error)
            )
        case Split(into):
            log.warning(
                "slice_split",
                slice_ids=ids,
                into=into.value,
                reason=_reason(error),
                exc_info=_traceback(error),
            )
    # Each of these lines has its own.
    structlog.contextvars.unbind_contextvars("request_ids")
    for report in step.reports:
        log.info(
            "slice",
            request_id=report.request_id,
            job_id=str(report.job_id),
            slice=report.number,
            orders=report.orders,
            ok=report.ok,
            failed=report.orders - report.ok,
            duration_ms=round(step.seconds * 1000, 1),
        )


def log_left(slice_ids: Sequence[int], reason: str, error: BaseException | None) -> None:
    """Log that slices stay undecided, and why; without an error they are not those that were tried last."""
    if error is None:
        structlog.contextvars.clear_contextvars()
    if isinstance(error, MemoryError):
        log.error("slices_out_of_memory", slice_ids=list(slice_ids))
    elif _traceback(error) is None:
        log.warning("slices_left_for_later", slice_ids=list(slice_ids), reason=reason)
    else:
        log.error("slices_failed", slice_ids=list(slice_ids), reason=reason, exc_info=error)


def _reason(error: BaseException | None) -> str:
    return str(error) or type(error).__name__


def _traceback(error: BaseException | None) -> BaseException | None:
    return None if isinstance(error, _EXPECTED) else error
