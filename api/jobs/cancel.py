"""Cancellation of a job: what no worker has in hand has its outcome at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.rejections import cancelled
from shared.persistence.jobs.cancel import cancel_rest, request_cancel
from shared.schemas.outcome import outcome_bytes

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine


def cancel(engine: Engine, job_id: UUID) -> None:
    """Cancel a job; again, or when it is done, nothing changes. Raises PersistenceError."""
    request_cancel(engine, job_id)
    cancel_rest(engine, job_id, outcome_bytes(cancelled()))
