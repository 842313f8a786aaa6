"""Who may use which route (CONTRACT 1). None can be added without saying so: a route has its access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import g, request

from api.context import facts, parts
from api.web.errors import ApiError
from shared.persistence.access.keys import find_api_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from shared.persistence.access.keys import ApiKey


@dataclass(frozen=True)
class Access:
    """What a route asks of its caller: a key or none, and a scope of it or any."""

    needs_key: bool = True
    scope: str | None = None


OPEN = Access(needs_key=False)
"""Anybody: the process's health."""

ANY_KEY = Access()
"""Any key that is known. It is for what is the key's own: its jobs, and the limits that apply to it."""


def needs(scope: str) -> Access:
    """Ask for a key that has this scope."""
    return Access(scope=scope)


def find_caller(table: Mapping[str, Access]) -> None:
    """Find out whose request the present one is, or raise ApiError (401) before its body is read.

    ``table`` has the access of every endpoint.
    """
    if not _access(table).needs_key:
        return
    api_key = find_api_key(parts().keys_engine, _presented_key(), parts().clock())
    if api_key is None:
        raise _unauthorized("This API key is not known, or it was revoked or has expired.")
    facts().api_key = api_key


def take_place(heavy: frozenset[str]) -> None:
    """Let a caller's request in among those that are answered, or raise ApiError (429, 503).

    ``heavy`` are the endpoints that may keep a connection of the database for long.
    """
    if (api_key := facts().api_key) is not None:
        facts().permit = parts().capacity.admit(api_key.id, heavy=request.endpoint in heavy)


def keep_place(response: Response) -> Response:
    """Keep the place of an answer that is sent in pieces until it is."""
    permit = facts().permit
    if permit is not None and response.is_streamed:
        facts().permit = None
        response.call_on_close(permit.release)
    return response


def leave_place(_error: BaseException | None) -> None:
    """Give back what the request holds."""
    # A request that could not even begin has no facts.
    known = g.get("facts")
    if known is not None and known.permit is not None:
        known.permit.release()


def check_scope(table: Mapping[str, Access]) -> None:
    """Let the caller in, or raise ApiError (403). Apart, so that what is refused here is counted before."""
    access, api_key = _access(table), facts().api_key
    if api_key is not None and access.scope is not None and access.scope not in api_key.scopes:
        raise ApiError(
            403,
            f"This API key lacks the scope {access.scope}; use one that has it, or ask for one.",
        )


def _access(table: Mapping[str, Access]) -> Access:
    if request.endpoint is None or request.method == "OPTIONS":
        return OPEN  # there is nothing at the path, or only the methods of the path are asked for
    return table[request.endpoint]


def may_read_job(api_key: ApiKey, owner_id: int) -> bool:
    """Whether a key may read a job of the key ``owner_id``.

    Its own always, whatever its scopes: a key that may only write must learn what came of its orders.
    """
    return api_key.id == owner_id or "jobs:read-all" in api_key.scopes


def _presented_key() -> str:
    presented = request.headers.get("API-Authorization", "").strip()
    if not presented:
        scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
        presented = credentials.strip() if scheme.lower() == "bearer" else ""
    if not presented:
        raise _unauthorized(
            "An API key is needed; send it as 'API-Authorization: <key>' or 'Authorization: Bearer <key>'."
        )
    return presented


def _unauthorized(msg: str) -> ApiError:
    return ApiError(401, msg, headers={"WWW-Authenticate": "Bearer"})
