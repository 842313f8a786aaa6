"""The order numbers that a batch asks for, and which of its orders ask for one that stands earlier in it.

The latter is a -5 (contract §3), but slices of a batch run in parallel, in any order: a slice cannot know
what stands earlier in another, nor which numbers it must not give to orders that ask for none (contract §9).
The API has the whole batch, so it tells. This is its only look into an order. It is a hint, not the guard:
that is the primary key of the table of orders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_FIELD = b'"orderNumber"'
# Nobody escapes these letters but to see what comes of it: it is the same field all the same.
_ESCAPE = b"\\u00"
_ESCAPED_LETTER = re.compile(rb"\\u00(?:4e|6[2-9a-f]|7[2-5])", re.IGNORECASE)
# 5, "5", 5.0 and 5e0 are one number (contract §6). What is longer is out of range anyway.
_WRITTEN = re.compile(
    rb'"\+?(?P<quoted>[0-9]{1,20}(?:\.[0-9]{1,20})?)"|(?P<bare>[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?)'
)
_MOST = 2**63 - 1


class _Numbered(msgspec.Struct):
    orderNumber: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815 - the contract's name


@dataclass(frozen=True, slots=True)
class AskedNumbers:
    """All order numbers that a batch asks for, each once, and the positions whose number stands earlier."""

    numbers: Collection[int]
    repeated: Sequence[int]


def asked_numbers(orders: Iterable[msgspec.Raw]) -> AskedNumbers:
    """Look for the order numbers in a batch.

    A malformed number, or an order that is not an object, is passed over: it gets its own -7 later.
    """
    decoder = msgspec.json.Decoder(_Numbered)
    seen: set[int] = set()
    repeated = []
    for position, raw in enumerate(orders):
        order = bytes(raw)
        number = _number(decoder, order) if _may_ask(order) else None
        if number is None:
            continue
        if number in seen:
            repeated.append(position)
        seen.add(number)
    return AskedNumbers(seen, repeated)


def _may_ask(order: bytes) -> bool:
    return _FIELD in order or (_ESCAPE in order and _ESCAPED_LETTER.search(order) is not None)


def _number(decoder: msgspec.json.Decoder[_Numbered], order: bytes) -> int | None:
    try:
        written = bytes(decoder.decode(order).orderNumber)
    except msgspec.ValidationError:
        return None
    found = _WRITTEN.fullmatch(written)
    if not found:
        return None
    value = Decimal((found["quoted"] or found["bare"]).decode())
    whole = value == value.to_integral_value() and 1 <= value <= _MOST
    return int(value) if whole else None
