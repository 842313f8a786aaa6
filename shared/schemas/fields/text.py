"""Texts: any, one of a few words, e-mail addresses, and codes of countries and currencies."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

from shared.domain.outcome import quoted
from shared.domain.reasons import (
    IS_EMPTY,
    NOT_COUNTRY,
    NOT_CURRENCY,
    NOT_EMAIL,
    NOT_STORABLE,
    NOT_TEXT,
    TOO_LONG,
    UNKNOWN_VALUE,
)
from shared.schemas.countries import COUNTRIES, CURRENCIES, country_meant
from shared.schemas.exact_json import HugeNumber
from shared.schemas.fields.base import ValueField, missing, wrong
from shared.schemas.order.mailbox import mailbox_fault


class Text(ValueField):
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


class Words(Text):
    """Some of a few words, with commas between them; gives each once, in the order of the words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__(most=255, filled=True, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        sent = super()._deserialize(value, attr, data, **kwargs).split(",")
        for word in sent:
            if word not in self.words:
                text = f"{quoted(word)} is not one of {', '.join(self.words)}; write several with commas"
                raise wrong(UNKNOWN_VALUE, text, known=list(self.words))
        return tuple(word for word in self.words if word in sent)


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
