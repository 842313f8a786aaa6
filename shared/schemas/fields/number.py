"""Numbers: whole ones, amounts of money; and booleans, which may be written as numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from marshmallow.exceptions import ValidationError

from shared.domain.currencies import MOST_DECIMALS
from shared.domain.order import MOST_MONEY
from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_BOOLEAN, NOT_MONEY, NOT_WHOLE, OUT_OF_RANGE, TOO_MANY_DECIMALS
from shared.schemas.fields.base import ValueField, missing, wrong

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_HUNDREDTH = Decimal("0.01")
# What has more decimals than this is not worth keeping until its currency is known.
_FINEST = Decimal("1e-15")
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


class Whole(ValueField):
    """An integer in ``least..most``: ``2``, ``"2"`` or ``2.0``, not ``2.5``."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if value == "" and self.required:
            raise missing("is required, and is empty")
        whole = _whole(value)
        if whole is None:
            raise wrong(NOT_WHOLE, f"{quoted(value)} is not a whole number")
        if not self.least <= whole <= self.most:
            text = f"{quoted(value)} is not in {self.least}..{self.most}"
            raise wrong(OUT_OF_RANGE, text, least=self.least, most=self.most)
        return whole


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    # A huge exponent is out of any range: it is not spelt out to find out.
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 20:  # noqa: PLR2004 - digits of a whole number that is read at all
        return int(value) if value == value.to_integral_value() else None
    return None


class Flag(ValueField):
    """A boolean: ``true``, ``1``, ``"true"``, ``"1"`` and their opposites."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = value.lower() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise wrong(NOT_BOOLEAN, f"{quoted(value)} is not a boolean; write true or false")


class Amount(ValueField):
    """Money: 0 or more, as a number or a string of one.

    Whether its currency has so many decimals is for whoever knows the currency. An amount with two of them at
    most is given with both, so that two that are equal look the same.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if value == "" and self.required:
            raise missing("is required, and is empty")
        amount = _decimal(value)
        if amount is None:
            raise wrong(NOT_MONEY, f"{quoted(value)} is not an amount; write it as 12.34")
        if amount > MOST_MONEY:
            raise _beyond(f"{quoted(value)} is above {MOST_MONEY}")
        if amount < 0:
            raise _beyond(f"{quoted(value)} is below 0")
        exact = amount.quantize(_HUNDREDTH)
        if exact == amount:
            return abs(exact)
        if amount.quantize(_FINEST) != amount:
            text = f"{quoted(value)} has more than {MOST_DECIMALS} decimals, which no currency has"
            raise wrong(TOO_MANY_DECIMALS, f"{text}; round it first", decimals=MOST_DECIMALS)
        return amount


def _beyond(text: str) -> ValidationError:
    return wrong(OUT_OF_RANGE, text, least="0", most=str(MOST_MONEY))


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return Decimal(value)
    return None
