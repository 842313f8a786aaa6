"""A body that is one JSON object, read strictly and whole: for what is no batch of orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import request

from api.body.batch import read_single
from api.body.read import body_form, read_body
from api.context import parts
from api.web.errors import ApiError
from shared.schemas.exact_json import read_exactly


def read_object(*, max_bytes: int, limit: str, reserve: Callable[[int], None]) -> dict[str, Any]:
    """Read the present request's body, every number exactly; ``limit`` is the name that its limit is told by.

    ``reserve`` is told of each piece before it is kept, and may refuse.

    Raises ApiError: 400 for what is no JSON object, or has a name twice in one; 413, 415.
    """
    return _read(_bytes(max_bytes, limit, reserve))


def _read(body: bytearray) -> dict[str, Any]:
    # Its size is checked already, by a limit of its own and not by that of an order.
    settings = replace(parts().settings, max_order_bytes=len(body) + 1)
    [raw] = read_single(body, "", settings=settings).orders
    try:
        read: dict[str, Any] = read_exactly(raw)
    except ValueError as error:
        raise ApiError(400, f"The body cannot be read: {error}.") from None
    return read


def _bytes(max_bytes: int, limit: str, reserve: Callable[[int], None]) -> bytearray:
    form = body_form(
        request.mimetype,
        request.mimetype_params.get("charset", ""),
        request.headers.get("Content-Encoding", ""),
        request.content_length,
        max_body_bytes=max_bytes,
        limit=limit,
    )
    if form.by_line:
        raise ApiError(415, "The Content-Type must be application/json; lines are for batches of orders.")
    return read_body(request.stream, form, max_body_bytes=max_bytes, limit=limit, reserve=reserve)
