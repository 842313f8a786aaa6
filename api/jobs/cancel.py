"""Cancellation of a job: what no worker has in hand has its outcome at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import orjson

from shared.domain.rejections import cancelled
from shared.persistence.jobs.cancel import cancel_free_slices, request_cancel
from shared.schemas.outcome import outcome_json

if TYPE_CHECKING:
    from uuid import UUID

    from api.context import AppContext

_PORTION_BYTES: Final = 4 * 1024 * 1024
"""What was sent that is looked at in one transaction, for its keys; and a slice more."""
_HELD_PER_BYTE: Final = 3
_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OUTCOME: Final = orjson.dumps(outcome_json(cancelled()))


def cancel(app: AppContext, job_id: UUID) -> None:
    """Cancel a job; again, or when it is done, nothing changes. Raises PersistenceError, ApiError (503)."""
    with app.memory_budget.reservation() as held:
        held.reserve(_HELD_PER_BYTE * _PORTION_BYTES)
        request_cancel(app.engine, job_id)
        # Each turn closes a slice at least, and nobody makes new ones but by cutting up what is in hand.
        while cancel_free_slices(app.engine, job_id, _outcomes_of, _PORTION_BYTES):
            pass


def _outcomes_of(body: bytes) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % (orjson.dumps(key), _OUTCOME) for key in _BODY.decode(body)])
