"""The platform's habits of writing values (contract §6), as marshmallow fields.

JSON must have been read by ``read_exactly``. Every message names the value at fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from marshmallow import fields
from marshmallow.exceptions import ValidationError

from shared.domain.currencies import MOST_DECIMALS
from shared.domain.order import MOST_MONEY
from shared.domain.outcome import Reason, quoted
from shared.domain.reasons import (
    FIELD_MISSING,
    IS_EMPTY,
    IS_NULL,
    NOT_ARRAY,
    NOT_BOOLEAN,
    NOT_COUNTRY,
    NOT_CURRENCY,
    NOT_DATE,
    NOT_EMAIL,
    NOT_MONEY,
    NOT_OBJECT,
    NOT_STORABLE,
    NOT_TEXT,
    NOT_WHOLE,
    OUT_OF_RANGE,
    TOO_LONG,
    TOO_MANY,
    TOO_MANY_DECIMALS,
    UNKNOWN_VALUE,
)
from shared.schemas.countries import COUNTRIES, CURRENCIES, country_meant
from shared.schemas.exact_json import HugeNumber
from shared.schemas.order.mailbox import mailbox_fault

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
# Spelt out: Python would take "20270131512", and any character between the date and the time.
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}-W[0-9]{2}(-[0-9])?|[0-9]{4}W[0-9]{2}[0-9]?)"
    r"([T ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{1,9})?)?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?"
)
_PLUS_LOST = re.compile(r".{10}T.{2,20} [0-9]{2}:?[0-9]{2}")
_LARGEST_EXPONENT = 20
_HUNDREDTH = Decimal("0.01")
# What has more decimals than this is not worth keeping until its currency is known.
_FINEST = Decimal("1e-15")
# PostgreSQL keeps no more digits behind the point.
_MOST_DECIMALS = 16_383
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


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


class _Field(fields.Field[Any]):
    """``required`` is told as missing, not as malformed."""

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        if key == "required" or (key == "null" and self.required):
            return missing("is required")
        if key == "null":
            return wrong(IS_NULL, "is null; leave it out")
        return super().make_error(key, **kwargs)


class Text(_Field):
    """A string of at most ``most`` characters; with ``filled``, an empty one is missing.

    ``nfc`` is for names: it is given in Unicode's NFC, in which names are compared.
    """

    def __init__(self, *, most: int, filled: bool = False, nfc: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.filled = filled
        self.nfc = nfc

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise wrong(NOT_TEXT, f"{quoted(value)} is not a string{_zeros(value)}")
        if self.filled and not value.strip():
            raise missing("is required, and is empty") if self.required else wrong(IS_EMPTY, "is empty")
        if len(value) > self.most:
            text = f"{quoted(value)} has {len(value)} characters; {self.most} are the most"
            raise wrong(TOO_LONG, text, most=self.most)
        if "\x00" in value:
            raise wrong(NOT_STORABLE, f"{quoted(value)} holds U+0000, which cannot be stored; leave it out")
        return value if not self.nfc or value.isascii() else unicodedata.normalize("NFC", value)


def _zeros(value: Any) -> str:
    """The way out for a number where text belongs: whoever wrote it may have lost what is no number."""
    number = isinstance(value, int | Decimal | HugeNumber) and not isinstance(value, bool)
    return "; send it in quotes, for zeros at its start would be lost" if number else ""


class Choice(Text):
    """One of a few words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(most=255, filled=True, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.words:
            text = f"{quoted(text)} is not one of {', '.join(self.words)}"
            raise wrong(UNKNOWN_VALUE, text, known=list(self.words))
        return text


class Email(Text):
    """An e-mail address that a mailbox could have; with ``as_sent``, any text that is one where it counts."""

    def __init__(self, *, as_sent: bool = False, **kwargs: Any) -> None:
        super().__init__(most=254, filled=True, **kwargs)
        self.as_sent = as_sent

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self.as_sent:
            self.check(text)
        return text

    def check(self, text: str) -> None:
        """Refuse what no mailbox could have. Raises ValidationError."""
        fault = mailbox_fault(text)
        if fault is not None:
            raise wrong(NOT_EMAIL, f"{quoted(text)} is not an e-mail address: {fault}")


class Country(Text):
    """An ISO 3166-1 alpha-2 code, in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=255, filled=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in COUNTRIES:
            meant = country_meant(text)
            way_out = f"; write {meant!r}" if meant else ""
            raise wrong(NOT_COUNTRY, f"{quoted(text)} is not an ISO 3166 alpha-2 country code{way_out}")
        return text


class Currency(Text):
    """An ISO 4217 code, in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=255, filled=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in CURRENCIES:
            meant = text.strip().upper()
            way_out = f"; write {meant!r}" if meant in CURRENCIES else ""
            raise wrong(NOT_CURRENCY, f"{quoted(text)} is not an ISO 4217 currency code{way_out}")
        return text


class Whole(_Field):
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


class Flag(_Field):
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


class Amount(_Field):
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


class Moment(_Field):
    """A date, or a date and time, in its schema's ``zone`` unless it names one; gives a moment in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise _not_a_date(value)
        try:
            # Python knows of one blank, the first.
            day, clock = value[:11], value[11:]
            moment = datetime.fromisoformat(day + clock.replace(" ", ""))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=getattr(self.root, "zone", UTC))
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise _not_a_date(value) from None


def _not_a_date(value: Any) -> ValidationError:
    lost = isinstance(value, str) and _PLUS_LOST.fullmatch(value)
    way_out = "; in a query string, a + is written %2B" if lost else ""
    text = f"{quoted(value)} is not a date; write 2027-01-31, '2027-01-31 12:00:00' or ISO 8601{way_out}"
    return wrong(NOT_DATE, text)


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


class Members(_Field):
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
