"""Closing slices with their outcomes, and the report of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from shared.domain.outcome import Created, Rejected
from shared.domain.reasons import VOUCHER_UNKNOWN
from shared.domain.rejections import is_cancelled
from shared.persistence.jobs.close import ClosedSlice, close_slices
from shared.persistence.jobs.slices import TakenSlice
from shared.schemas.outcome import keyed_outcomes_json
from worker.settle.work import Keyed, Placed


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What a settled slice came to."""

    job_id: UUID
    request_id: str
    number: int
    orders: int
    ok: int
    first_numbers: tuple[int, ...] = ()
    """The first number of each order that was created or completed."""
    client_id: int = 0
    unknown_codes: int = 0
    """How many voucher codes its outcomes tell to be nobody's."""
    stops_job: bool = False
    """Whether its job is cancelled with it, because too many of its orders were rejected."""


def close_with(connection: Connection, placed: Placed) -> list[SliceReport]:
    """Write the outcomes of claimed slices and close them; they count once the transaction commits."""
    if not placed:
        return []
    # Most slices have none: whatever is told of rejections looks at these alone.
    rejected = [[outcome for _, outcome in keyed if isinstance(outcome, Rejected)] for _, keyed in placed]
    oks = [len(keyed) - len(of) for (_, keyed), of in zip(placed, rejected, strict=True)]
    closing = close_slices(
        connection,
        [
            ClosedSlice(
                id=taken.id,
                job_id=taken.job_id,
                order_count=taken.order_count,
                job_total=taken.job_total,
                outcomes=keyed_outcomes_json(keyed),
                ok_count=ok,
                codes=_codes(of),
                cancelled_count=sum(map(is_cancelled, of)),
                limited=taken.options.max_failed is not None,
            )
            for (taken, keyed), ok, of in zip(placed, oks, rejected, strict=True)
        ],
    )
    return [
        _report(taken, keyed, of, stops_job=taken.job_id in closing.stopped)
        for (taken, keyed), of in zip(placed, rejected, strict=True)
    ]


def _codes(rejected: Sequence[Rejected]) -> dict[str, int]:
    codes: dict[str, int] = {}
    for outcome in rejected:
        if not is_cancelled(outcome):
            codes[str(int(outcome.code))] = codes.get(str(int(outcome.code)), 0) + 1
    return codes


def _report(
    taken: TakenSlice, keyed: Sequence[Keyed], rejected: Sequence[Rejected], *, stops_job: bool
) -> SliceReport:
    first_numbers = tuple([outcome.numbers[0] for _, outcome in keyed if isinstance(outcome, Created)])
    unknown_codes = sum(fault.reason is VOUCHER_UNKNOWN for outcome in rejected for fault in outcome.faults)
    return SliceReport(
        taken.job_id,
        taken.request_id,
        taken.number,
        len(keyed),
        len(keyed) - len(rejected),
        first_numbers,
        taken.client_id,
        unknown_codes,
        stops_job,
    )
