"""The values of a catalog file that an order does not have: names, lists of them, amounts by name."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pycountry
from marshmallow import fields
from marshmallow.exceptions import ValidationError

from shared.domain.currencies import decimals, in_units, too_many_decimals, unit
from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_CURRENCY, TOO_MANY_DECIMALS
from shared.domain.vouchers import compared
from shared.schemas.fields import Amount, Moment, Text, ValueField, wrong

_DATE_CHARS = len("2027-01-31")
_HUNDREDTH = Decimal("0.01")


@cache
def currencies() -> frozenset[str]:
    """Every ISO 4217 code."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


class Name(Text):
    """Text by which a row is known: what cannot be seen in it would make two names of what looks like one."""

    def __init__(self, *, most: int = 200, **kwargs: Any) -> None:
        super().__init__(most=most, filled=True, nfc=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text != text.strip():
            raise ValidationError(f"{quoted(text)} has space around it; take it away")
        if not text.isprintable():
            unseen = next(c for c in text if not c.isprintable())
            raise ValidationError(f"{quoted(text)} has U+{ord(unseen):04X} in it, which cannot be seen")
        return text


class CatalogCurrency(Text):
    """An ISO 4217 code, in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=200, filled=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in currencies():
            raise wrong(NOT_CURRENCY, f"{quoted(text)} is not an ISO 4217 currency code; write e.g. 'EUR'")
        return text


class Several(ValueField):
    """An array of ``inner`` values, each once."""

    def __init__(self, inner: fields.Field[Any], *, filled: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner
        self.filled = filled

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValidationError(f"{quoted(value)} is not an array")
        if self.filled and not value:
            raise ValidationError("is empty; it needs one at least")
        found: dict[Any, int] = {}
        faults: dict[int, list[str]] = {}
        for at, one in enumerate(value):
            try:
                known = found.setdefault(self.inner.deserialize(one), at)
            except ValidationError as error:
                faults[at] = [str(message) for message in error.messages]
                continue
            if known != at:
                faults[at] = [f"{quoted(one)} is at [{known}] already"]
        if faults:
            raise ValidationError(faults)
        return tuple(found)


class ByName(ValueField):
    """An object of ``inner`` values, or null, under names (of currencies, with ``names``)."""

    def __init__(
        self, inner: fields.Field[Any], *, names: fields.Field[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.inner = inner
        self.names = names

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(f"{quoted(value)} is not an object")
        found: dict[str, Any] = {}
        faults: dict[str, list[str]] = {}
        for name, one in value.items():
            try:
                if self.names is not None:
                    self.names.deserialize(name)
                found[compared(name)] = None if one is None else self.value_of(name, one)
            except ValidationError as error:
                faults[name] = [str(message) for message in error.messages]
        if faults:
            raise ValidationError(faults)
        return found

    def value_of(self, name: str, one: Any) -> Any:
        """The value that stands under a name. Raises ValidationError."""
        return self.inner.deserialize(one)


class AmountsByCurrency(ByName):
    """Amounts of money, or null, under the currencies that they are in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Amount(), names=CatalogCurrency(), **kwargs)

    def value_of(self, name: str, one: Any) -> Any:
        """The amount, with its currency's decimals. Raises ValidationError."""
        amount = self.inner.deserialize(one)
        exact = in_units(amount, unit(name))
        if exact is None:
            raise wrong(TOO_MANY_DECIMALS, too_many_decimals(amount, name), decimals=decimals(name))
        return exact


class Percent(Amount):
    """0 to 100, with two decimals at most."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        percent = super()._deserialize(value, attr, data, **kwargs)
        if percent > 100:  # noqa: PLR2004 - a percentage
            raise ValidationError(f"{percent} is above 100")
        if in_units(percent, _HUNDREDTH) is None:
            raise ValidationError(f"{percent} has more than two decimals; round it first")
        return percent


class Until(Moment):
    """The moment before which something holds. A date alone is meant with that day in it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and len(value) == _DATE_CHARS:
            with suppress(ValueError):  # which is told below, in the words for all dates
                value = _next_day(value)
        return super()._deserialize(value, attr, data, **kwargs)


def _next_day(date: str) -> str:
    try:
        return (datetime.fromisoformat(date) + timedelta(days=1)).isoformat()
    except OverflowError:
        raise ValidationError(f"{quoted(date)} is the end of time; leave it out for no end") from None
