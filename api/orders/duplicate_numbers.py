r"""Which orders of a batch name an ``orderNumber`` that one before them has named already.

That is a -5 (contract §3), but slices of a batch run in parallel, in any order: a slice cannot know what
stands earlier in another. The API has the whole batch, so it tells. This is its only look into
an order. It is a hint about order, not the guard: that is the primary key of the table of orders, which
also catches what this look does not see (a field name written with ``\\u`` escapes).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELD = b'"orderNumber"'
# 5, "5", 5.0 and 5e0 are one number (contract §6). What is longer is out of range anyway.
_WRITTEN = re.compile(
    rb'"\+?(?P<quoted>[0-9]{1,20}(?:\.[0-9]{1,20})?)"|(?P<bare>[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?)'
)
_MOST = 2**63 - 1


class _Numbered(msgspec.Struct):
    orderNumber: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815 - the contract's name


def repeated_numbers(orders: Iterable[msgspec.Raw]) -> list[int]:
    """Give the positions whose order number stands earlier in the batch, in order.

    A malformed number, or an order that is not an object, is passed over: it gets its own -7 later.
    """
    decoder = msgspec.json.Decoder(_Numbered)
    seen: set[int] = set()
    repeated = []
    for position, raw in enumerate(orders):
        order = bytes(raw)
        number = _number(decoder, order) if _FIELD in order else None
        if number is None:
            continue
        if number in seen:
            repeated.append(position)
        seen.add(number)
    return repeated


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
