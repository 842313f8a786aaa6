"""Concurrency: a request is admitted within the limits of the process, and gives its permit back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from api.context import has_request_context, request_context

if TYPE_CHECKING:
    from flask import Response

    from api.capacity import Capacity


def admit(capacity: Capacity, heavy: frozenset[str]) -> None:
    """Admit an authenticated request among those that are answered, or raise ApiError (429, 503).

    ``heavy`` are the endpoints that may keep a connection of the database for long.
    """
    context = request_context()
    if context.api_key is not None:
        context.permit = capacity.admit(context.api_key.client_id, heavy=request.endpoint in heavy)


def keep_permit(response: Response) -> Response:
    """Keep the permit of a response that is streamed until it is sent."""
    context = request_context()
    if context.permit is not None and response.is_streamed:
        response.call_on_close(context.permit.release)
        context.permit = None
    return response


def release_permit(_error: BaseException | None) -> None:
    """Release what the request holds."""
    # A request that could not even begin has no context.
    if has_request_context() and (permit := request_context().permit) is not None:
        permit.release()
