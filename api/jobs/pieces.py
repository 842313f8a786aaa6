"""Responses that are sent in pieces, so that a reader costs a piece and not the whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from flask import request

from api.web.gzip import gzipped, takes_gzip
from api.web.responses import JsonResponse
from shared.persistence.core.errors import TransientError

if TYPE_CHECKING:
    from flask import Response

    from api.context import AppContext

PIECE_BYTES: Final = 1 << 17
_FIRST_PIECES: Final = 3
# What the database's driver, the slices' outcomes and the piece made of them take at the same moment.
_HELD_PER_BYTE: Final = 4
# A restart of the database need not cut an answer short that is half sent.
_AGAIN_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)
_Read = TypeVar("_Read")


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """A body in pieces; ``length`` of all, where that is known, and the bytes of the largest of them."""

    media_type: str
    pieces: Iterator[bytes]
    largest_bytes: int = PIECE_BYTES
    length: int | None = None


def pieces_response(app: AppContext, body: Pieces, headers: Mapping[str, str]) -> Response:
    """Answer with pieces, compressed where the client takes that; as a whole if they are one together.

    They reserve memory of the budget, which may be refused: ApiError (503). The first few are made at
    once, so that a fault in them is told by a status; a later one ends the connection.
    """
    reservation = app.memory_budget.reservation()
    reservation.reserve(_HELD_PER_BYTE * max(PIECE_BYTES, body.largest_bytes))
    try:
        first, ended = _first(body.pieces)
    except BaseException:
        reservation.release()
        raise
    in_time = _in_time(chain(first, body.pieces), app.settings.body_seconds_max)
    compressed = takes_gzip(request)
    sent = gzipped(in_time) if compressed else in_time
    # A list's iterator keeps what it has given: without this name, until the client has taken it.
    del first
    response = JsonResponse(
        b"".join(sent) if ended else sent, mimetype=body.media_type, headers=dict(headers)
    )
    response.call_on_close(reservation.release)
    response.vary.update(("Accept", "Accept-Encoding"))
    if compressed:
        response.content_encoding = "gzip"
    elif body.length is not None:
        response.content_length = body.length
    return response


def _first(pieces: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """The first few pieces, and whether they are all: what is small has two, itself and its end."""
    first = list(islice(pieces, _FIRST_PIECES))
    return first, len(first) < _FIRST_PIECES


def read_again(read: Callable[[], _Read]) -> _Read:
    """Read, again for some seconds while the database is away. Raises PersistenceError."""
    until = time.monotonic() + _AGAIN_SECONDS
    while True:
        try:
            return read()
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
