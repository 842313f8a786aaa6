"""Publication of the API's description: /openapi.json for machines, /docs for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import orjson
from flask import Response, request

from api.docs.page import read_asset, write_page
from api.openapi.document import make_document

if TYPE_CHECKING:
    from api.context import AppContext, RequestContext
    from api.route import Route, View
    from shared.settings import Settings

# It changes with a release or a setting only; the ETag makes asking again cheap.
_CACHE: Final = "public, max-age=300"
_TAGS_CHARS_MAX: Final = 1_000
# The page needs its own style and icon. Whatever else got into it would not be run, loaded or sent.
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE_HEADERS: Final = {"Content-Security-Policy": _PAGE_POLICY, "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True)
class _Written:
    document: bytes
    page: bytes


class Publication:
    """The description of a table of routes, made when it is first asked for and kept."""

    def __init__(self, routes: Callable[[], Iterable[Route]]) -> None:
        self._routes = routes
        self._lock = threading.Lock()
        self._written: _Written | None = None

    def document(self, app: AppContext, _context: RequestContext) -> Response:
        """The OpenAPI document."""
        return _cached(self._write(app.settings).document, "application/json")

    def page(self, app: AppContext, _context: RequestContext) -> Response:
        """The page."""
        response = _cached(self._write(app.settings).page, "text/html; charset=utf-8")
        response.headers.update(_PAGE_HEADERS)
        return response

    def _write(self, settings: Settings) -> _Written:
        with self._lock:
            if self._written is None:
                document = make_document(self._routes(), settings)
                page = write_page(document)
                self._written = _Written(orjson.dumps(document), page.encode())
            return self._written


def asset(name: str, media_type: str) -> View:
    """Give the view of one of the page's assets."""
    return lambda _app, _context: _cached(read_asset(name), media_type)


def _cached(body: bytes, media_type: str) -> Response:
    response = Response(body, content_type=media_type)
    response.headers["Cache-Control"] = _CACHE
    response.set_etag(sha256(body).hexdigest()[:32])
    # Nobody holds that many of its tags; the longest list that comes through would take a tenth of a second.
    if all(len(request.headers.get(name, "")) <= _TAGS_CHARS_MAX for name in ("If-Match", "If-None-Match")):
        response.make_conditional(request)
    return response
