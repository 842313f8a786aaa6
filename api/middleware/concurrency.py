"""Concurrency: a request is admitted within the limits of the process, and gives its permit back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, request

from api.context import facts, parts

if TYPE_CHECKING:
    from flask import Response


def admit(heavy: frozenset[str]) -> None:
    """Admit an authenticated request among those that are answered, or raise ApiError (429, 503).

    ``heavy`` are the endpoints that may keep a connection of the database for long.
    """
    if (api_key := facts().api_key) is not None:
        facts().permit = parts().capacity.admit(api_key.id, heavy=request.endpoint in heavy)


def keep_permit(response: Response) -> Response:
    """Keep the permit of a response that is streamed until it is sent."""
    permit = facts().permit
    if permit is not None and response.is_streamed:
        facts().permit = None
        response.call_on_close(permit.release)
    return response


def release_permit(_error: BaseException | None) -> None:
    """Release what the request holds."""
    # A request that could not even begin has no facts.
    known = g.get("facts")
    if known is not None and known.permit is not None:
        known.permit.release()
