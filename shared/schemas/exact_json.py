"""JSON with every digit that was sent: integers as ``int``, all other numbers as ``Decimal``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from shared.domain.outcome import quoted

_MOST_DIGITS = 4_300
"""Integers up to this length are read as such, as Python and msgspec do; longer ones would take seconds."""


@dataclass(frozen=True, slots=True)
class HugeNumber:
    """A number that is kept as it was written, because neither ``int`` nor ``Decimal`` should hold it."""

    written: str

    def __str__(self) -> str:  # noqa: D105 - what str() is for
        return self.written


def read_exactly(raw: bytes | msgspec.Raw) -> Any:
    """The value of a JSON text. Raises ValueError where it is none, RecursionError where it is too deep.

    A member that stands twice in one object is refused: which of the two was meant cannot be known.
    """
    text = bytes(raw)
    value = _read_at_once(text)
    return _read_by_pairs(text) if value is _DOUBT else value


def _read_at_once(text: bytes) -> Any:
    """The same several times faster, or ``_DOUBT``: msgspec keeps the last of two members of a name.

    The text has no more members than colons, and if that is how many the value has, none of them stood twice.
    Where texts hold colons, too: without white space every member's name ends in a quote with a colon behind
    it, and the same goes for such pairs.
    """
    try:
        value = _AT_ONCE.decode(text)
        kind = type(value)
        if kind is not dict and kind is not list:
            return value
        members = _members_in(value)
        if text.count(b":") == members:
            return value
        small = msgspec.json.format(text, indent=-1)
    except (ValueError, RecursionError, InvalidOperation):  # the last: an exponent of twenty digits
        return _DOUBT
    pairs = small.count(b'":')
    if b'\\\\":' not in small:
        # Then a quote behind a backslash is within a string, and ends no name.
        pairs -= small.count(b'\\":')
    return value if pairs == members else _DOUBT


def _members_in(value: Any) -> int:
    """The members of an object or a list, at every depth."""
    members, inners = 0, value
    if type(value) is dict:
        members, inners = len(value), value.values()
    for inner in inners:
        kind = type(inner)
        if kind is dict or kind is list:
            members += _members_in(inner)
    return members


def _read_by_pairs(text: bytes) -> Any:
    return json.loads(
        text.decode("utf-8"),
        parse_int=_integer,
        parse_float=_decimal,
        parse_constant=_refuse,
        object_pairs_hook=_object,
    )


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) < len(members):
        counts = Counter(name for name, _ in members)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"the member {quoted(twice)} stands twice in one object; keep one")
    return read


def _integer(written: str) -> int | HugeNumber:
    return int(written) if len(written.lstrip("-")) <= _MOST_DIGITS else HugeNumber(written)


def _decimal(written: str) -> Decimal | HugeNumber:
    try:
        return Decimal(written)
    except InvalidOperation:  # an exponent of twenty digits
        return HugeNumber(written)


_AT_ONCE = msgspec.json.Decoder(float_hook=Decimal)
_DOUBT = object()


def _refuse(written: str) -> NoReturn:
    raise ValueError(f"{written} is not JSON")
