"""Media types, and which of several a client would rather have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Request

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
CSV: Final = "text/csv"
EVENTS: Final = "text/event-stream"

# What any client sends has some dozens of characters, a browser a hundred.
_MOST_CHARS: Final = 1_000


def preferred(request: Request, offered: Sequence[str]) -> str:
    """The media type of those ``offered`` that a request's Accept prefers; the first where it names none.

    So nobody is refused for an Accept (RFC 9110, 12.5.1), and one that is too long says nothing.
    """
    if len(request.headers.get("Accept", "")) > _MOST_CHARS:
        return offered[0]
    return request.accept_mimetypes.best_match(offered) or offered[0]
