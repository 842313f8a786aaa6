"""Responses with a job's outcomes: sent in pieces, so that a reader costs a piece and not the whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from api.web.responses import JsonResponse, json_response
from shared.domain.job import JobForm
from shared.persistence.core.errors import TransientError
from shared.persistence.jobs.outcomes import list_outcomes, read_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask import Response
    from sqlalchemy import Engine

    from api.context import AppContext
    from shared.domain.job import Job
    from shared.persistence.jobs.outcomes import OutcomeList

PIECE_BYTES: Final = 1 << 17
# What the database's driver, the slices' outcomes and the piece made of them take at the same moment.
_RESERVED_BYTES: Final = 4 * PIECE_BYTES
# A restart of the database need not cut an answer short that is half sent.
_AGAIN_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


def outcomes_there(engine: Engine, job: Job) -> OutcomeList:
    """The outcomes of a job that are there, and the first piece of them. Raises PersistenceError."""
    return list_outcomes(engine, job.id, PIECE_BYTES)


def results_response(
    app: AppContext, form: JobForm, found: OutcomeList, headers: Mapping[str, str]
) -> Response:
    """Answer with outcomes: keyed, or the bare one of a job of a single order.

    What does not fit into a piece reserves memory of the budget, which may be refused: ApiError (503).
    """
    if len(found.first) == len(found.slice_ids):
        return json_response(app.memory_budget, _whole(form, found.first), headers=headers)
    reservation = app.memory_budget.reservation()
    reservation.reserve(_RESERVED_BYTES)
    in_time = _in_time(_pieces(app.engine, found), app.settings.body_seconds_max)
    response = JsonResponse(in_time, status=200, headers=dict(headers))
    response.call_on_close(reservation.release)
    response.content_length = _length(found)
    return response


def _whole(form: JobForm, fragments: Sequence[bytes]) -> bytes:
    if form is JobForm.BATCH or not fragments:
        return b"{" + _joined(fragments) + b"}"
    (outcome,) = msgspec.json.decode(fragments[0], type=dict[str, msgspec.Raw]).values()
    return bytes(outcome)


def _joined(fragments: Sequence[bytes]) -> bytes:
    """Join JSON objects, in order, without reading them: what stands between the braces of each."""
    return b",".join([memoryview(fragment)[1:-1] for fragment in fragments])


def _length(found: OutcomeList) -> int:
    # Of each object two braces go; between them commas come, and around them all two braces.
    return sum(found.sizes) - len(found.sizes) + 1


def _pieces(engine: Engine, found: OutcomeList) -> Iterator[bytes]:
    yield b"{" + _joined(found.first)
    for slice_ids in found.rest(PIECE_BYTES):
        # Not kept in a name: it is waited for here until the client has taken the piece.
        yield b"," + _joined(_read_patiently(engine, slice_ids))
    yield b"}"


def _read_patiently(engine: Engine, slice_ids: Sequence[int]) -> list[bytes]:
    until = time.monotonic() + _AGAIN_SECONDS
    while True:
        try:
            return read_outcomes(engine, slice_ids)
        except TransientError as error:
            if time.monotonic() >= until:
                raise
            _log.warning("outcomes_not_read", fault=str(error))
            time.sleep(_PAUSE_SECONDS)


def _in_time(pieces: Iterator[bytes], most_seconds: float) -> Iterator[bytes]:
    """Give the pieces for so long. Raises TimeoutError: the server ends the connection then."""
    until = time.monotonic() + most_seconds
    for piece in pieces:
        yield piece
        if time.monotonic() >= until:
            raise TimeoutError("the answer was not taken in time")
