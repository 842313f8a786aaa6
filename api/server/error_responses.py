"""Error responses to what cannot be read as a request, in the envelope of every error (contract §1).

gunicorn's own repeat what the client sent, in the answer and in the log.
"""

from __future__ import annotations

import json
from typing import Final

from gunicorn.http import errors


class MalformedHostError(errors.ParseException):  # type: ignore[misc]  # gunicorn has no types
    """A request of HTTP/1.1 without exactly one host that can be one (RFC 9112, 3.2)."""


class AmbiguousTargetError(errors.ParseException):  # type: ignore[misc]  # gunicorn has no types
    """A target that a proxy in front may take for another one than we do."""


_STATUSES: Final[tuple[tuple[type[Exception], int, str, str], ...]] = (
    (errors.LimitRequestLine, 414, "URI Too Long", "its first line is too long"),
    (
        errors.LimitRequestHeaders,
        431,
        "Request Header Fields Too Large",
        "its headers are too many or too long",
    ),
    (errors.ExpectationFailed, 417, "Expectation Failed", "of Expect, only 100-continue is known"),
    (errors.UnsupportedTransferCoding, 501, "Not Implemented", "of transfer codings, only chunked is known"),
    (errors.InvalidHTTPVersion, 400, "Bad Request", "it is neither HTTP/1.1 nor HTTP/1.0"),
    (errors.InvalidRequestLine, 400, "Bad Request", "its first line is malformed"),
    (errors.InvalidRequestMethod, 400, "Bad Request", "its method is malformed"),
    (errors.InvalidHeaderName, 400, "Bad Request", "the name of a header is malformed"),
    (
        MalformedHostError,
        400,
        "Bad Request",
        "it needs one Host, a name or an address, with a port from 1 to 65535 or none",
    ),
    (
        AmbiguousTargetError,
        400,
        "Bad Request",
        "its path is to be plain: without //, /./, /../, \\ and #, and nothing %-encoded that need not be",
    ),
    (errors.InvalidHeader, 400, "Bad Request", "a header is malformed or contradicts another"),
    (errors.ParseException, 400, "Bad Request", "it is malformed"),
)

# These are of the same classes, but no fault of the client's.
_OURS: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)

SERVER_FAULT: Final = 500
TOO_MANY_REQUESTS: Final = 429
# Requests of a key that wait for a thread become fewer as soon as one is answered.
_RETRY_SECONDS: Final = 1


def status_of(error: BaseException) -> tuple[int, str, str]:
    """The status, its reason phrase, and what is wrong with the request; ``""`` where nothing is."""
    for kind, status, reason, why in _STATUSES:
        if isinstance(error, kind) and not isinstance(error, _OURS):
            return status, reason, why
    return SERVER_FAULT, "Internal Server Error", ""


def error_bytes(status: int, reason: str, why: str) -> bytes:
    """A whole answer, after which the connection ends; a 429 says when to come again."""
    is_early = status == TOO_MANY_REQUESTS
    msg = "Something is wrong here, not with your request."
    if why:
        msg = f"The request {'was not' if is_early else 'cannot be'} read: {why}."
    body = json.dumps({"status": "no", "code": -7, "msg": msg}).encode()
    again = f"Retry-After: {_RETRY_SECONDS}\r\n" if is_early else ""
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n{again}"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
