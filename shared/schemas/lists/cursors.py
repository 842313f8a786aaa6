"""Cursors: places in a list, as text that clients take from an answer and do not make up."""

from __future__ import annotations

import base64
import binascii
import re
from abc import abstractmethod
from typing import Any

from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_CURSOR
from shared.schemas.fields import Text, wrong

_CHARS_MAX = 120


class Cursor(Text):
    """A place in a list, from the bytes that ``written`` was given; each kind of list has its own."""

    pattern: re.Pattern[bytes]
    """What the bytes of a place are."""
    taken_from = "next or previous"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=_CHARS_MAX, filled=True, **kwargs)

    @abstractmethod
    def place(self, found: re.Match[bytes]) -> Any:
        """Give the place that such bytes name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            found = self.pattern.fullmatch(base64.b64decode(text, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            found = None
        if found is None:
            raise wrong(NOT_CURSOR, f"{quoted(text)} is none of ours; take it from {self.taken_from}")
        return self.place(found)


def written(place: bytes) -> str:
    """Write a place as a cursor."""
    return base64.urlsafe_b64encode(place).decode()
