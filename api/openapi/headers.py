"""Parameters and headers that several operations share, by the names that the document gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from api.orders.idempotency import MOST_CHARS
from shared.domain.order import MOST_NUMBER

if TYPE_CHECKING:
    from shared.settings import Settings

_TEXT: Final = {"type": "string"}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "RequestId": {
        "description": "The request's id: the one that was sent, or a new one. Tell it when asking for help.",
        "required": True,
        "schema": _TEXT,
    },
    "Location": {"description": "Where the job is.", "schema": {"type": "string", "format": "uri-reference"}},
    "RetryAfter": {
        "description": "Seconds after which to ask again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "PreferenceApplied": {"description": "Which preferences were honoured (RFC 7240).", "schema": _TEXT},
    "IdempotentReplayed": {
        "description": "The Idempotency-Key was known: this is what came of the request that had it first.",
        "schema": {"const": "true"},
    },
    "WwwAuthenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"const": "Bearer"},
    },
    "RateLimitLimit": {
        "description": "How many requests the client may make in a minute. This header and the two others "
        "stand on every answer to a request with a key that is known, as far as they can be told.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimitRemaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimitReset": {
        "description": "Seconds until the minute is over.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "AcceptPost": {"description": "The media types that are taken.", "schema": _TEXT},
    "AcceptEncoding": {"description": "The content encodings that are taken.", "schema": _TEXT},
    "Complete": {
        "description": "Whether the job is done, so that no further outcomes will come.",
        "required": True,
        "schema": {"enum": ["true", "false"]},
    },
    "Link": {"description": "Where the next page is (RFC 8288).", "schema": _TEXT},
    "ETag": {"description": "The version of what is answered.", "schema": _TEXT},
}
HEADER_NAMES: Final = {
    "RequestId": "X-Request-ID",
    "RetryAfter": "Retry-After",
    "PreferenceApplied": "Preference-Applied",
    "IdempotentReplayed": "Idempotent-Replayed",
    "WwwAuthenticate": "WWW-Authenticate",
    "RateLimitLimit": "RateLimit-Limit",
    "RateLimitRemaining": "RateLimit-Remaining",
    "RateLimitReset": "RateLimit-Reset",
    "Complete": "Ordermill-Complete",
    "AcceptPost": "Accept-Post",
    "AcceptEncoding": "Accept-Encoding",
}
"""How a header is called on the wire, where the component is not called so."""


def shared_parameters(settings: Settings) -> dict[str, dict[str, Any]]:
    """Parameters by component name, each as OpenAPI has it."""
    return {
        "RequestId": {
            "name": "X-Request-ID",
            "in": "header",
            "description": "An id of your own for this request; it stands on every log line that the request "
            "causes. One that does not look like this is replaced.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~:/+=@-]{1,128}$"},
        },
        "Prefer": {
            "name": "Prefer",
            "in": "header",
            "description": "What you would rather have, joined by commas (RFC 7240). `respond-async` "
            "answers 202 at once; `wait=N` waits up to N seconds for the outcomes, whatever the batch's size "
            f"({settings.max_wait_seconds:g} at most). Without either, up to {settings.sync_max_orders} "
            f"orders are waited for, {settings.sync_wait_seconds:g} seconds at most. Where too many wait "
            "already, the 202 comes at once. `handling=strict`: each unknown member of an order is an error.",
            "schema": _TEXT,
            "examples": {
                "job": {"value": "respond-async"},
                "patient": {"value": "wait=60"},
                "strict": {"value": "handling=strict, wait=10"},
            },
        },
        "PreferStrict": {
            "name": "Prefer",
            "in": "header",
            "description": "`handling=strict` makes each unknown parameter an error (RFC 7240).",
            "schema": _TEXT,
            "examples": {"strict": {"value": "handling=strict"}},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A text of your own for this request, best a new UUID. The same key with the same "
            f"body again is the same job, not a second one; kept for {settings.retention_days} days.",
            "schema": {"type": "string", "pattern": f"^[!#-~]{{1,{MOST_CHARS}}}$"},
        },
        "ContentEncoding": {
            "name": "Content-Encoding",
            "in": "header",
            "description": "`gzip` when the body is compressed.",
            "schema": {"enum": ["gzip", "identity"]},
        },
        "PreferWait": {
            "name": "Prefer",
            "in": "header",
            "description": "`wait=N` waits up to N seconds until the job is done or, with If-None-Match, "
            f"until it has changed (RFC 7240; {settings.max_wait_seconds:g} at most). Where too many wait "
            "already, the job is told at once, without `Preference-Applied`.",
            "schema": _TEXT,
            "examples": {"patient": {"value": "wait=60"}},
        },
        "LastEventId": {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "Of an event stream: the id of the last event that came. The stream goes on with "
            "what is after it; 204 when nothing ever will be.",
            "schema": _TEXT,
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The ETag of what you have: 304 when it is still the same.",
            "schema": _TEXT,
        },
        "number": {
            "name": "number",
            "in": "path",
            "required": True,
            "description": "The order's number, as `createOnly` gave it.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER},
        },
        "job_id": {
            "name": "job_id",
            "in": "path",
            "required": True,
            "description": "The job's id, from the Location of the batch's answer.",
            "schema": {"type": "string", "format": "uuid"},
        },
    }
