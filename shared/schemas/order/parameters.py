"""What parameters of an order share: how long their texts may be, and how they are described."""

from __future__ import annotations

from typing import Any

from shared.schemas.fields import Text

NAME_CHARS = 255
COMMENT_CHARS = 5_000


def described(text: str) -> dict[str, str]:
    """Give the metadata of a field that means this."""
    return {"description": text}


def is_blank(value: Any) -> bool:
    """Whether a value is null, or a text of nothing but white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def short_text(doc: str, **kwargs: Any) -> Text:
    """Make the field of a text of a line."""
    return Text(most=NAME_CHARS, allow_none=True, metadata=described(doc), **kwargs)


def name_text(doc: str, **kwargs: Any) -> Text:
    """Make the field of what is compared with names of ours."""
    return short_text(doc, nfc=True, **kwargs)
