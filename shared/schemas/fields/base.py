"""What all fields of values share: what they say is wrong, and how a missing value is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from marshmallow import fields
from marshmallow.exceptions import ValidationError

from shared.domain.outcome import Reason
from shared.domain.reasons import FIELD_MISSING, IS_NULL


class Told(str):
    """A message of what is wrong with a value, with the reason, and what that says beside it."""

    __slots__ = ("params", "reason")
    reason: Reason
    params: Mapping[str, Any]

    def __new__(cls, reason: Reason, text: str, **params: Any) -> Self:
        """Make the message."""
        told = super().__new__(cls, text)
        told.reason = reason
        told.params = params
        return told


def wrong(reason: Reason, text: str, **params: Any) -> ValidationError:
    """The error of a value that cannot be taken; ``params`` are those that the reason names."""
    return ValidationError([Told(reason, text, **params)])


def told_by(error: ValidationError) -> list[Told]:
    """What the error of a single value says; raises TypeError where a field of ours did not make it."""
    told = [one for one in error.messages if isinstance(one, Told)]
    if len(told) != len(error.messages):
        raise TypeError(f"not told by a field of ours: {error.messages!r}")
    return told


def missing(what: str) -> ValidationError:
    """The error of a required value that is absent, null or empty."""
    return wrong(FIELD_MISSING, what)


class ValueField(fields.Field[Any]):
    """``required`` is told as missing, not as malformed."""

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """Make the error that marshmallow knows by this key."""
        if key == "required" or (key == "null" and self.required):
            return missing("is required")
        if key == "null":
            return wrong(IS_NULL, "is null; leave it out")
        return super().make_error(key, **kwargs)
