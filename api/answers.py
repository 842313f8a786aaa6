"""JSON answers, written by orjson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from api.memory_budget import SMALL_BYTES
from api.parts import parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.memory_budget import Reservation
    from api.refusal import Refusal


class JsonResponse(Response):
    """A response that is JSON unless it says otherwise, the framework's own included."""

    default_mimetype = "application/json"


def answer(
    value: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    reservation: Reservation | None = None,
) -> Response:
    """Answer with ``value`` as JSON; bytes are JSON already.

    A large answer holds memory of the budget until it is sent: of the ``reservation`` that its making has,
    else of one of its own, which may be refused: Refusal (503).
    """
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    response = JsonResponse(body, status=status, headers=dict(headers or {}))
    if reservation is not None:
        reservation.shrink(len(body))
    elif len(body) > SMALL_BYTES:
        reservation = parts().memory_budget.reservation()
        reservation.reserve(len(body))
    if reservation is not None:
        response.call_on_close(reservation.release)
    return response


def refused(refusal: Refusal) -> Response:
    """Answer with the envelope of a refusal."""
    return answer(refusal.envelope(), refusal.status, refusal.headers)
