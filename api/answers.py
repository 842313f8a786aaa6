"""JSON answers, written by orjson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.refusal import Refusal


class JsonResponse(Response):
    """A response that is JSON unless it says otherwise, the framework's own included."""

    default_mimetype = "application/json"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with ``value`` as JSON; bytes are JSON already."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return JsonResponse(body, status=status, headers=dict(headers or {}))


def refused(refusal: Refusal) -> Response:
    """Answer with the envelope of a refusal."""
    return answer(refusal.envelope(), refusal.status, refusal.headers)
