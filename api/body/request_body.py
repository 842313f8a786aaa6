"""The body of a Flask request, read within a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.body.read import body_form, read_body
from api.web.content_type import content_type
from api.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request


def read_request_body(
    request: Request,
    *,
    max_bytes: int,
    limit: str,
    reserve: Callable[[int], None],
    by_line_refused: str | None = None,
) -> tuple[bytearray, bool]:
    """Read a request's whole body, inflated; gives it, and whether it is one JSON text on each line.

    ``limit`` is the name that its limit is told by. ``reserve`` is told of each piece before it is kept, and
    may refuse. ``by_line_refused``: what is said where lines are not taken (None: they are).

    Raises ApiError: 413, 415, and what ``read_body`` raises.
    """
    form = body_form(
        *content_type(request),
        request.headers.get("Content-Encoding", ""),
        request.content_length,
        max_body_bytes=max_bytes,
        limit=limit,
    )
    if form.by_line and by_line_refused is not None:
        raise ApiError(415, by_line_refused)
    body = read_body(request.stream, form, max_body_bytes=max_bytes, limit=limit, reserve=reserve)
    return body, form.by_line
