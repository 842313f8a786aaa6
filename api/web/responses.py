"""Responses: JSON, written by orjson, and the memory that they hold until they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from api.memory_budget import SMALL_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api.memory_budget import MemoryBudget, MemoryReservation
    from api.web.errors import ApiError


class JsonResponse(Response):
    """A response that is JSON unless it says otherwise, the framework's own included."""

    default_mimetype = "application/json"


def json_response(
    budget: MemoryBudget,
    value: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with ``value`` as JSON; bytes are JSON already.

    A large answer reserves memory of the budget until it is sent, which may be refused: ApiError (503).
    """
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    response = JsonResponse(body, status=status, headers=dict(headers or {}))
    if len(body) > SMALL_BYTES:
        reservation = budget.reservation()
        reservation.reserve(len(body))
        response.call_on_close(reservation.release)
    return response


def reserved_response(
    budget: MemoryBudget, make: Callable[[MemoryReservation], bytes], headers: Mapping[str, str]
) -> Response:
    """Answer with the JSON that is made; what its making has reserved is the response's until it is sent.

    So whoever has reserved before doing something is not refused after it.
    """
    reservation = budget.reservation()
    try:
        body = make(reservation)
        response = JsonResponse(body, headers=dict(headers))
    except BaseException:
        reservation.release()
        raise
    reservation.shrink(len(body))
    response.call_on_close(reservation.release)
    return response


def error_response(budget: MemoryBudget, error: ApiError) -> Response:
    """Answer with the envelope of an error."""
    return json_response(budget, error.envelope(), error.status, error.headers)
