"""Headers and query strings that are as long as they may be, and hard to read."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from api.app import close_app, create_app
from shared.clock import utc_now
from shared.logs import configure_logging
from shared.persistence.access.keys import create_api_key
from shared.persistence.core.database import open_database
from tests.hostile.check import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.hostile.ground import Ground

CPU_SECONDS: Final = 0.1
# All fields of a head joined, as repeated ones are; and what a first line has room for beside its path.
_HEADER_CHARS: Final = 32 * 4_096
_QUERY_CHARS: Final = 4_000

_READ: Final = (
    "Accept",
    "API-Authorization",
    "Authorization",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Prefer",
    "Range",
    "X-Request-ID",
)
_PIECES: Final = (
    '"',
    "\\",
    '\\"',
    '"\\',
    " ",
    "\t",
    ",",
    ";",
    "=",
    "a=",
    'a="',
    "a;",
    "a,",
    "a=b; ",
    "0",
    "-",
)
_BEGINNINGS: Final = ("", '"', 'a="', "Bearer om_")
_ENDINGS: Final = ("", "@")
# What is no batch has its headers read, and is refused before it costs anything else.
_NO_BATCH: Final = b"["
_PARAMETERS: Final = (
    ("/v1/orders", ("limit", "order", "newer_than", "older_than", "unknown")),
    ("/v1/stock", ("limit", "sku", "ean", "unknown")),
)
_QUERY_PIECES: Final = (
    "1",
    "0",
    "-",
    "+",
    ".",
    "e",
    "1e",
    "2027-",
    "W",
    ":",
    " ",
    "T1",
    "%",
    "&",
    "=",
    "&a",
    ";",
    "\u0663",
)


def what_is_read_of_a_head_costs_next_to_nothing(ground: Ground) -> Iterator[Cost]:
    """Send each header that is read, and each query parameter, full of what is hard to read."""
    with ground.settings() as settings:
        engine = open_database(settings, "test")
        scopes = ["orders:read", "orders:write", "stock:read"]
        key = create_api_key(engine, "Hostile", scopes, None, None, utc_now())
        engine.dispose()
        configure_logging(replace(settings, log_level="ERROR"), "api")
        app = create_app(replace(settings, rate_limit_per_minute=0))
        try:
            client = app.test_client()
            for path in ("/openapi.json", "/v1/orders", "/v1/stock"):
                _cpu_seconds(client, "GET", path, key, {})
            for name in _READ:
                yield Cost(name, _worst_header(client, key, name), "s of CPU", CPU_SECONDS)
            for path, names in _PARAMETERS:
                for name in names:
                    asked = f"{path}?{name}="
                    yield Cost(asked, _worst_parameter(client, key, asked), "s of CPU", CPU_SECONDS)
        finally:
            close_app(app)


def _worst_header(client: FlaskClient, key: str, name: str) -> float:
    worst = 0.0
    for begin in _BEGINNINGS:
        for piece in _PIECES:
            for end in _ENDINGS:
                value = begin + (piece * _HEADER_CHARS)[: _HEADER_CHARS - len(begin) - len(end)] + end
                asked = {name: value}
                worst = max(worst, _cpu_seconds(client, "POST", "/v1/orders", key, asked))
                if name.startswith("If-") or name in {"Accept", "Range"}:
                    worst = max(worst, _cpu_seconds(client, "GET", "/openapi.json", key, asked))
    return worst


def _worst_parameter(client: FlaskClient, key: str, asked: str) -> float:
    values = [
        (piece * _QUERY_CHARS)[: _QUERY_CHARS - 1] + end for piece in _QUERY_PIECES for end in ("", "x")
    ]
    return max(_cpu_seconds(client, "GET", asked + value, key, {}) for value in values)


def _cpu_seconds(client: FlaskClient, method: str, path: str, key: str, headers: dict[str, str]) -> float:
    """What a request takes of this thread; the least of some, for much else is at work on a machine."""
    least = 10.0
    for _ in range(5):
        begun = time.thread_time()
        sent = {"API-Authorization": key, "Content-Type": "application/json", **headers}
        answer = client.open(path, method=method, data=_NO_BATCH, headers=sent)
        least = min(least, time.thread_time() - begun)
        assert answer.status_code < 500, (path, headers)
        if least < CPU_SECONDS:
            break
    return least
