"""Content types: what a request says that its body is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flask import Request

# A media type with its parameters has some dozens; fields that are repeated are one value, of up to 128 KB.
_MOST_CHARS: Final = 256


def content_type(request: Request) -> tuple[str, str]:
    """The media type in lower case, and the charset; both empty for a header that is too long to be one."""
    if len(request.headers.get("Content-Type", "")) > _MOST_CHARS:
        return "", ""
    return request.mimetype, request.mimetype_params.get("charset", "")
