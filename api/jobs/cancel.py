"""Cancellation of a job: what no worker has in hand has its outcome at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from shared.domain.rejections import cancelled
from shared.persistence.jobs.cancel import cancel_free_slices, request_cancel
from shared.schemas.outcome import outcome_json

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

_OUTCOME: Final = orjson.dumps(outcome_json(cancelled()))


def cancel(engine: Engine, job_id: UUID) -> None:
    """Cancel a job; again, or when it is done, nothing changes. Raises PersistenceError."""
    request_cancel(engine, job_id)
    # Each turn closes a slice at least, and nobody makes new ones but by cutting up what is in hand.
    while cancel_free_slices(engine, job_id, _OUTCOME):
        pass
