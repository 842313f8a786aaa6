"""The access log: one line for each request, by its id; and the headers that all responses carry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from flask import Flask, request

from api.context import begin_request, request_context

if TYPE_CHECKING:
    from flask import Response

_log = structlog.get_logger(__name__)
_NO_CONTENT = 204


def add_access_log(app: Flask) -> None:
    """Register what goes before and after each request."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    begun = begin_request(request.headers.get("X-Request-ID", ""))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=begun.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_context().request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Outcomes and progress are one key's business and change; no cache in between may keep them.
    # The description of the API says for itself that it may be kept.
    response.headers.setdefault("Cache-Control", "no-store")
    if request.method == "OPTIONS" and response.status_code == 200:  # noqa: PLR2004 - HTTP's OK
        response.status_code = _NO_CONTENT
        del response.headers["Content-Type"]
    _write_line(response.status_code)
    return response


def _write_line(status: int) -> None:
    context = request_context()
    optional = {
        "orders": context.orders,
        "job_id": context.job_id and str(context.job_id),
        "key": context.api_key and context.api_key.prefix,
    }
    rule = request.url_rule
    # Probes come every few seconds and say nothing new.
    write = _log.debug if rule is not None and rule.rule in {"/healthz", "/readyz"} else _log.info
    write(
        "request",
        # The route, not the path: a path is the client's own text.
        method=request.method if rule is not None else "",
        route=rule.rule if rule is not None else "",
        status=status,
        duration_ms=round((time.monotonic() - context.started) * 1000, 1),
        **{name: value for name, value in optional.items() if value is not None},
    )
