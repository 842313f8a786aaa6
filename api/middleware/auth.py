"""Authentication by API key, and authorization by its scopes (contract §1).

No route can be added without saying what it requires: it has a permission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from api.context import request_context
from api.web.errors import ApiError
from shared.persistence.access.keys import find_api_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.context import AppContext
    from shared.persistence.access.keys import ApiKey


@dataclass(frozen=True)
class Permission:
    """What a route requires of its caller: a key or none, and a scope of it or any."""

    needs_key: bool = True
    scope: str | None = None


OPEN = Permission(needs_key=False)
"""Anybody: the process's health."""

ANY_KEY = Permission()
"""Any key that is known. It is for what is the client's own: its jobs, and the limits that apply to it."""


def requires(scope: str) -> Permission:
    """Require a key that has this scope."""
    return Permission(scope=scope)


def authenticate(context: AppContext, table: Mapping[str, Permission]) -> None:
    """Find out whose request the present one is, or raise ApiError (401) before its body is read.

    ``table`` has the permission of every endpoint.
    """
    if not _permission(table).needs_key:
        return
    api_key = find_api_key(context.keys_engine, _presented_key(), context.clock())
    if api_key is None:
        raise _unauthorized("This API key is not known, or it was revoked or has expired.")
    request_context().api_key = api_key


def authorize(table: Mapping[str, Permission]) -> None:
    """Let the caller in, or raise ApiError (403). Apart, so that what is refused here is counted before."""
    permission, api_key = _permission(table), request_context().api_key
    if api_key is not None and permission.scope is not None and permission.scope not in api_key.scopes:
        raise ApiError(
            403,
            f"This API key lacks the scope {permission.scope}; use one that has it, or ask for one.",
        )


def _permission(table: Mapping[str, Permission]) -> Permission:
    if request.endpoint is None or request.method == "OPTIONS":
        return OPEN  # there is nothing at the path, or only the methods of the path are asked for
    return table[request.endpoint]


def may_read_job(api_key: ApiKey, client_id: int) -> bool:
    """Whether a key may read a job of this client.

    One of its own client's always, whatever its scopes: a key that may only write must learn what came of
    its orders.
    """
    return api_key.client_id == client_id or "jobs:read-all" in api_key.scopes


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
