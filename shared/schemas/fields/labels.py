"""Labels: parameters that may stand more than once, each ``name:value``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_STORABLE, NOT_TEXT, NOT_VALID, SENT_TWICE, TOO_LONG, TOO_MANY
from shared.schemas.fields.base import ValueField, wrong
from shared.schemas.fields.text import Text

LABELS_MOST = 16
LABEL_NAME_CHARS = 64
LABEL_VALUE_CHARS = 255

_WRITE = "write name:value"


def _check_printable(text: str) -> None:
    if any(unicodedata.category(one) == "Cc" for one in text):
        raise wrong(NOT_STORABLE, f"{quoted(text)} holds a control character; leave it out")


class Line(Text):
    """A text of one line that says something: no control characters are in it."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(most=most, filled=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        _check_printable(text)
        return text


class Labels(ValueField):
    """Labels by name, in the order of their names, of a list of texts ``name:value``, each name once.

    A name has no colon, and neither part may be empty or have control characters.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, str]:
        if len(value) > LABELS_MOST:
            text = f"has {len(value)} elements; {LABELS_MOST} are the most"
            raise wrong(TOO_MANY, text, count=len(value), most=LABELS_MOST)
        labels: dict[str, str] = {}
        for one in value:
            name, label = _parts(one)
            if name in labels:
                raise wrong(SENT_TWICE, f"{quoted(name)} stands more than once; send each name once")
            labels[name] = label
        return dict(sorted(labels.items()))


def _parts(sent: Any) -> tuple[str, str]:
    """Name and value of a label. Raises ValidationError."""
    if not isinstance(sent, str):
        raise wrong(NOT_TEXT, f"{quoted(sent)} is not a string; {_WRITE}")
    name, colon, label = sent.partition(":")
    if not (colon and name.strip() and label.strip()):
        raise wrong(NOT_VALID, f"{quoted(sent)} is no label; {_WRITE}")
    for part, most, what in ((name, LABEL_NAME_CHARS, "name"), (label, LABEL_VALUE_CHARS, "value")):
        if len(part) > most:
            text = f"{quoted(sent)} has a {what} of {len(part)} characters; {most} are the most"
            raise wrong(TOO_LONG, text, most=most)
        _check_printable(part)
    return name, label
