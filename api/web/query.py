"""Query strings: read by a schema, refused with all that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Request, request

from api.web.errors import ApiError
from shared.domain.outcome import listed, sentence
from shared.schemas.query import read_query, unknown_parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from marshmallow import Schema

    from shared.domain.outcome import Fault


def check_query(known: Mapping[str, Collection[str]]) -> None:
    """Refuse (400) query parameters that the present request's endpoint does not know.

    ``known`` has the names of those that it does, by endpoint; of one that is not in it nothing is checked.
    """
    endpoint = request.endpoint or ""
    if not request.args or endpoint not in known:
        return
    unknown = unknown_parameters(known[endpoint], request.args, endpoint)
    if unknown:
        raise bad_values(unknown)


def query_values(schema: Schema, request: Request) -> dict[str, Any]:
    """Give the values of a request's query. Raises ApiError (400)."""
    read = read_query(schema, list(request.args.items(multi=True)))
    if isinstance(read, list):
        raise bad_values(read)
    return read


def bad_values(faults: Iterable[Fault]) -> ApiError:
    """Make the 400 of a request whose values are at fault, the first few of them in its message."""
    # It is one error of the whole request: its faults are told whatever their code, unlike an order's.
    everything = list(faults)
    return ApiError(400, sentence(everything), faults=list(listed(everything)))


def same_query(request: Request, without: Collection[str] = (), **changes: str | int) -> str:
    """Give a request's path and query with some parameters changed, or left out: a link to another page."""
    # A parameter may stand more than once.
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in changes and name not in without
    ]
    return f"{request.path}?{urlencode([*kept, *changes.items()])}"


def honoured(*, strict: bool) -> dict[str, str]:
    """Say that unknown parameters would have been refused, where that was asked for (RFC 7240)."""
    return {"Preference-Applied": "handling=strict"} if strict else {}
