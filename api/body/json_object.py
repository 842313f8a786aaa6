"""A body that is one JSON object, read strictly and whole: for what is no batch of orders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from api.body.batch import read_single
from api.body.request_body import read_request_body
from api.web.errors import ApiError
from shared.schemas.exact_json import read_exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

    from shared.settings import Settings


def read_object(
    request: Request, settings: Settings, *, max_bytes: int, limit: str, reserve: Callable[[int], None]
) -> dict[str, Any]:
    """Read a request's body, every number exactly; ``limit`` is the name that its limit is told by.

    ``reserve`` is told of each piece before it is kept, and may refuse.

    Raises ApiError: 400 for what is no JSON object, or has a name twice in one; 413, 415.
    """
    body, _ = read_request_body(
        request,
        max_bytes=max_bytes,
        limit=limit,
        reserve=reserve,
        by_line_refused="The Content-Type must be application/json; lines are for batches of orders.",
    )
    # Its size is checked already, by a limit of its own and not by that of an order.
    [raw] = read_single(body, "", settings=replace(settings, max_order_bytes=len(body) + 1)).orders
    try:
        read: dict[str, Any] = read_exactly(raw)
    except ValueError as error:
        raise ApiError(400, f"The body cannot be read: {error}.") from None
    return read
