"""Common responses: those that follow from what a route is, rather than from what it does. One row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.openapi.examples import envelope
from api.openapi.operation import Example, Operation, ResponseDoc

if TYPE_CHECKING:
    from api.route import Route


@dataclass(frozen=True, kw_only=True)
class CommonResponse:
    """A response, by the name of its component, of every route for which ``applies`` holds."""

    status: int
    name: str
    response: ResponseDoc
    applies: Callable[[Route, Operation], bool]


def _has_body(_: Route, operation: Operation) -> bool:
    return operation.body is not None


def _reads_query(route: Route, operation: Operation) -> bool:
    # A path of the API that takes no parameters refuses every one.
    return operation.query is not None or route.rule.startswith("/v1/")


def _needs_key(route: Route, _: Operation) -> bool:
    return route.permission.needs_key


def _needs_scope(route: Route, _: Operation) -> bool:
    return route.permission.scope is not None


def _replays(_: Route, operation: Operation) -> bool:
    return "IdempotencyKey" in operation.parameters


def _example(msg: str) -> dict[str, Example]:
    return {"refused": Example(says="Refused", value=envelope(msg))}


COMMON_RESPONSES = (
    CommonResponse(
        status=400,
        name="MalformedBody",
        response=ResponseDoc(
            says="The body is not what it should be: not JSON, not UTF-8, no object, nested too deep, or the "
            "same key stands in it twice; or the query has a parameter that this path does not know. `msg` "
            "says which and where.",
            examples=_example(
                "The key 'x123' stands more than once in the batch; give every order a key of its own."
            ),
        ),
        applies=_has_body,
    ),
    CommonResponse(
        status=400,
        name="MalformedQuery",
        response=ResponseDoc(
            says="A parameter has a value that it cannot have, stands twice, or is none that this path "
            "knows; `errors` has all of them.",
            examples=_example("limit: '0' is not in 1..1000"),
        ),
        applies=_reads_query,
    ),
    CommonResponse(
        status=401,
        name="Unauthorized",
        response=ResponseDoc(
            says="The API key is missing, unknown, revoked or expired.",
            headers=("WwwAuthenticate",),
            examples=_example("This API key is not known, or it was revoked or has expired."),
        ),
        applies=_needs_key,
    ),
    CommonResponse(
        status=403,
        name="Forbidden",
        response=ResponseDoc(
            says="The API key lacks the scope that this needs.",
            examples=_example(
                "This API key lacks the scope orders:write; use one that has it, or ask for one."
            ),
        ),
        applies=_needs_scope,
    ),
    CommonResponse(
        status=408,
        name="TooSlow",
        response=ResponseDoc(
            says="The body has not come in the time that `GET /v1/limits` gives it, or next to nothing of "
            "it; nothing was accepted.",
            examples=_example("The body came too slowly; nothing was accepted. Send it faster."),
        ),
        applies=_has_body,
    ),
    CommonResponse(
        status=410,
        name="ReplayExpired",
        response=ResponseDoc(says="The Idempotency-Key belongs to a job that has expired."),
        applies=_replays,
    ),
    CommonResponse(
        status=413,
        name="TooLarge",
        response=ResponseDoc(
            says="Too many bytes after inflating, too many elements, or a key or an order that is too long. "
            "`msg` names the limit and its value; `GET /v1/limits` has them all.",
            examples=_example(
                "The batch has more than 100000 orders, which is the limit maxOrders; "
                "send it as several batches."
            ),
        ),
        applies=_has_body,
    ),
    CommonResponse(
        status=415,
        name="UnsupportedMediaType",
        response=ResponseDoc(
            says="The body's media type, charset or encoding is not taken.",
            headers=("AcceptPost", "AcceptEncoding"),
            examples=_example("The Content-Type must be application/json or application/x-ndjson."),
        ),
        applies=_has_body,
    ),
    CommonResponse(
        status=409,
        name="KeyInFlight",
        response=ResponseDoc(
            says="The first request with this Idempotency-Key is still being stored.",
            headers=("RetryAfter",),
            examples=_example(
                "The Idempotency-Key 'a' is that of a request which is still being stored; "
                "send this one again when that has been answered."
            ),
        ),
        applies=_replays,
    ),
    CommonResponse(
        status=422,
        name="KeyReused",
        response=ResponseDoc(
            says="The Idempotency-Key was used for another request.",
            examples=_example(
                "The Idempotency-Key was used for another request; send a new key with a new batch, "
                "and the same key only with the same bytes."
            ),
        ),
        applies=_replays,
    ),
    CommonResponse(
        status=429,
        name="TooManyRequests",
        response=ResponseDoc(
            says="The client has made more requests within a minute than `GET /v1/limits` says it may, has "
            "too many of them under way, or too many bytes of orders without outcomes. `msg` says which; "
            "nothing was accepted.",
            headers=("RetryAfter", "RateLimitLimit", "RateLimitRemaining", "RateLimitReset"),
            examples=_example(
                "This client has made more than 6000 requests within a minute, which is the limit "
                "rateLimitPerMinute; nothing was accepted. Try again in 17 s."
            ),
        ),
        applies=_needs_key,
    ),
    CommonResponse(
        status=503,
        name="Unavailable",
        response=ResponseDoc(
            says="The database is away, too busy or unable, or too many large bodies are read at once: try "
            "again later. Nothing was accepted; or, where that is not known for certain, the message says so "
            "and Location which job to look for first.",
            headers=("RetryAfter", "Location"),
            examples=_example("The database is away; nothing was accepted. Try again later."),
        ),
        applies=_needs_key,
    ),
)
