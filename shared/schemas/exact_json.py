"""JSON with every digit that was sent: integers as ``int``, all other numbers as ``Decimal``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from shared.domain.outcome import quoted

_MOST_DIGITS = 1_000
"""Integers up to this length are read as such; printing one of a million digits would take seconds."""


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
    return json.loads(
        bytes(raw).decode("utf-8"),
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
    return int(written) if len(written) <= _MOST_DIGITS else HugeNumber(written)


def _decimal(written: str) -> Decimal | HugeNumber:
    try:
        return Decimal(written)
    except InvalidOperation:  # an exponent of twenty digits
        return HugeNumber(written)


def _refuse(written: str) -> NoReturn:
    raise ValueError(f"{written} is not JSON")
