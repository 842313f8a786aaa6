"""A job: the durable promise to give every key of a batch its outcome, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from shared.domain.batch_options import AS_USUAL, BatchOptions
from shared.domain.kinds import JobForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from shared.domain.kinds import JobKind

KEPT_AFTER_LAST_OUTCOME: Final = timedelta(days=1)
"""How long a job can be asked for once it is done, however late that was."""


class JobState(StrEnum):
    """What a job can be, in the order in which it may become it (contract §5)."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One reading of a job's row and its slices, all of the same moment.

    ``decided`` counts the orders of closed slices: ok, cancelled and failed ones; ``codes`` counts the
    rejected ones by code. ``started_at`` is when the first slice was taken, ``finished_at`` when the last one
    was closed, or a batch of no orders was made; ``expires_at`` is when it expires if it is done in time.
    ``retries`` are the jobs that try its rejected orders again. Everything else is derived, so the counts
    cannot disagree.
    """

    id: UUID
    client_id: int
    api_key_id: int
    request_id: str
    total: int
    created_at: datetime
    expires_at: datetime
    form: JobForm = JobForm.BATCH
    options: BatchOptions = AS_USUAL
    decided: int = 0
    ok: int = 0
    cancelled: int = 0
    codes: Mapping[int, int] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    deleted_at: datetime | None = None
    retry_of: UUID | None = None
    retries: Sequence[UUID] = ()

    @property
    def kind(self) -> JobKind:
        """What its batch is made of."""
        return self.form.kind

    @property
    def pending(self) -> int:
        """Orders without an outcome yet."""
        return self.total - self.decided

    @property
    def failed(self) -> int:
        """Orders that were rejected for what they are, rather than cancelled."""
        return self.decided - self.ok - self.cancelled

    @property
    def done(self) -> bool:
        """Whether every key has its outcome, and its row says so."""
        return self.finished_at is not None

    @property
    def percent(self) -> float:
        """Decided orders in a hundred, one decimal, rounded down: 100.0 is never said too early."""
        return 100.0 if self.done else min(self.decided * 1000 // self.total, 999) / 10

    @property
    def kept_until(self) -> datetime:
        """Until when it can be asked for; what is not done yet is kept for longer, and will say so."""
        if self.finished_at is None:
            return self.expires_at
        return max(self.expires_at, self.finished_at + KEPT_AFTER_LAST_OUTCOME)

    def is_over(self, now: datetime) -> bool:
        """Whether it has expired; one that is not done yet never has."""
        return self.done and self.kept_until <= now

    @property
    def state(self) -> JobState:
        """Where the job stands (contract §5)."""
        if not self.done:
            if self.cancel_requested_at is not None:
                return JobState.CANCELLING
            return JobState.QUEUED if self.started_at is None else JobState.RUNNING
        if self.cancelled:
            return JobState.CANCELLED
        if self.failed == 0:
            return JobState.SUCCEEDED
        return JobState.PARTIALLY_SUCCEEDED if self.ok else JobState.FAILED
