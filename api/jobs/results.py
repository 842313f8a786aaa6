"""Responses with all outcomes of a job that are there, as they were stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from api.jobs.pieces import PIECE_BYTES, Pieces, pieces_response, read_again
from api.web.media_type import JSON
from api.web.responses import json_response
from shared.domain.kinds import JobForm
from shared.persistence.jobs.outcomes import list_outcomes, read_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask import Response
    from sqlalchemy import Engine

    from api.context import AppContext
    from shared.domain.job import Job
    from shared.persistence.jobs.outcomes import OutcomeList


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
    pieces = Pieces(
        media_type=JSON,
        pieces=_pieces(app.engine, found),
        largest_bytes=max(found.sizes),
        length=_length(found) if found.exact else None,
    )
    return pieces_response(app, pieces, headers)


def _whole(form: JobForm, fragments: Sequence[bytes]) -> bytes:
    if form.is_keyed or not fragments:
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
        yield b"," + _joined(read_again(partial(read_outcomes, engine, slice_ids)))
    yield b"}"
