"""Containers: lists of a bounded length, and objects whose members are the client's own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields
from marshmallow.exceptions import ValidationError

from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_ARRAY, NOT_OBJECT, NOT_STORABLE, TOO_LONG, TOO_MANY
from shared.schemas.exact_json import HugeNumber
from shared.schemas.fields.base import Told, ValueField, wrong

_LARGEST_EXPONENT = 20
# PostgreSQL keeps no more digits behind the point.
_MOST_DECIMALS = 16_383


class Elements(fields.List[Any]):
    """A list of at most ``most`` elements: of one that has more, none is read."""

    def __init__(self, inner: Any, *, most: int = 0, **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.most = most

    def too_many(self, count: int) -> Told | None:
        """What is said of so many elements; None where they are not too many."""
        text = f"has {count} elements; {self.most} are the most"
        return Told(TOO_MANY, text, count=count, most=self.most) if count > self.most else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            # marshmallow would go through an object's names.
            raise wrong(NOT_ARRAY, f"{quoted(value)} is not an array")
        refused = self.too_many(len(value))
        if refused is not None:
            raise ValidationError([refused])
        return super()._deserialize(value, attr, data, **kwargs)


class Members(ValueField):
    """An object whose members are the client's own; values may be anything that JSON is."""

    def __init__(self, *, most_members: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most_members = most_members
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise wrong(NOT_OBJECT, f"{quoted(value)} is not an object")
        if len(value) > self.most_members:
            text = f"has {len(value)} members; {self.most_members} are the most"
            raise wrong(TOO_MANY, text, count=len(value), most=self.most_members)
        _check_storable(value, self.most)
        return value


def _check_storable(value: Any, most: int) -> None:
    """Refuse what jsonb cannot hold, and what it would write with more than ``most`` characters.

    Counted are the characters of names and strings, the digits of numbers, and one for each value.
    """
    size, left = 0, [value]
    while left and size <= most:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        else:
            text = _written(one)
            if "\x00" in text:
                raise wrong(
                    NOT_STORABLE, f"{quoted(text)} holds U+0000, which cannot be stored; leave it out"
                )
            size += len(text)
        size += 1
    if size > most:
        raise wrong(TOO_LONG, f"is too long; {most} characters are the most", most=most)


def _written(value: Any) -> str:
    """A JSON scalar as PostgreSQL will write it: a number with all its digits, and no exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, HugeNumber) or (isinstance(value, Decimal) and _stands_far_off(value)):
        msg = f"the number {quoted(value)} is too large or too small to be stored; send it as a string"
        raise wrong(NOT_STORABLE, msg)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _stands_far_off(number: Decimal) -> bool:
    """Whether an exponent makes a few characters many digits: ``1e1000`` is stored as 1,001 of them."""
    exponent = number.as_tuple().exponent
    return (
        not isinstance(exponent, int)
        or exponent < -_MOST_DECIMALS
        or exponent > _LARGEST_EXPONENT
        or number.adjusted() < -_LARGEST_EXPONENT
    )
