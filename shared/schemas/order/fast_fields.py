"""The readers of the fast way: from a decoded JSON value to what its field gives, made from the schema.

Each gives the same as its field several times faster, for every form that the contract allows, and doubts
what may have a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from marshmallow import ValidationError, fields

from shared.schemas.countries import COUNTRIES
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import Amount, Country, Elements, Email, Flag, Moment, Text, Whole
from shared.schemas.order.sent import NOTHINGS, Sent, sent_schema_of

ReadOne = Callable[[Any], Any]
ReadText = Callable[[bytes], Any]

ABSENT: Final = object()
"""What a value gives that stands for nothing."""

_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LOCAL_PART_CHARS = 64
_DOMAINS_KEPT = 10_000
_VALUES_KEPT = 10_000
_KEPT_CHARS = 100


class DoubtError(Exception):
    """The order may have a fault; the schema decides."""


class _LongError(Exception):
    """A value is right, and written with so many digits that it is not to be kept."""


class UnknownMembers:
    """Whether an object within an order has members that are no parameters."""

    def __init__(self) -> None:
        self.seen = False


def object_reader(schema: Sent, unknown: UnknownMembers) -> ReadOne:
    """What reads an object of this schema. Raises DoubtError, or what the fields raise."""
    read_members = members_reader(schema, unknown)
    required = frozenset(name for name, field in schema.fields.items() if field.required)
    lacks = schema.lacks

    def read(sent: Any) -> dict[str, Any]:
        if type(sent) is not dict:
            raise DoubtError
        values: dict[str, Any] = read_members(sent)
        if not required <= values.keys() or lacks(values):
            raise DoubtError
        return values

    return read


def members_reader(schema: Sent, unknown: UnknownMembers) -> ReadOne:  # noqa: C901 - three small functions, one loop
    """What reads members of such an object, each for itself: whether one is missing is not looked at."""
    # Most members are texts that may be anything: of those only the most characters are looked at.
    most_chars: dict[str, int] = {}
    readers: dict[str, ReadOne] = {}
    for name, field in schema.fields.items():
        if type(field) is Text and not field.filled and not field.nfc:
            most_chars[name] = field.most
        else:
            readers[name] = _reader(field, unknown)
    is_absent = schema.is_absent

    def read_odd(name: str, value: Any) -> Any:
        """What is no plain text: ABSENT where it stands for nothing."""
        reader = readers.get(name)
        if reader is None:
            if name not in most_chars:
                unknown.seen = True
            elif value is not None:
                raise DoubtError
            return ABSENT
        kind = type(value)
        if kind is str and value not in NOTHINGS:
            return reader(value)
        if (value is None or kind is str or value == []) and is_absent(name, value):
            return ABSENT
        return reader(value)

    def read(sent: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in sent.items():
            most = most_chars.get(name)
            if most is not None and type(value) is str and len(value) <= most:
                values[name] = value
                continue
            found = read_odd(name, value)
            if found is not ABSENT:
                values[name] = found
        return values

    return read


def address_reader(schema: Sent, unknown: UnknownMembers) -> ReadText:
    """What reads the JSON text of an address, all of whose members are texts; None where it is absent."""
    most = min(field.most for field in schema.fields.values() if isinstance(field, Text))
    decode = msgspec.json.Decoder(dict[str, Annotated[str, msgspec.Meta(max_length=most)]]).decode
    names, lacks, read_odd = frozenset(schema.fields), schema.lacks, object_reader(schema, unknown)

    def read(text: bytes) -> Any:
        try:
            sent = decode(text)
        except msgspec.ValidationError:
            return read_slowly(text)
        # A blank e-mail, an unknown member and one that stands twice are for the other way.
        plain = (
            sent.get("country") in COUNTRIES
            and sent.keys() <= names
            and text.count(b":") == len(sent)
            and not sent.get("email", "-").isspace()
            and sent.get("email") != ""
        )
        return sent if plain and not lacks(sent) else read_slowly(text)

    def read_slowly(text: bytes) -> Any:
        sent = read_exactly(text)
        return None if sent in (None, "", []) else read_odd(sent)

    return read


def _reader(field: Any, unknown: UnknownMembers) -> ReadOne:
    """What reads one field's value that is there."""
    found: ReadOne
    match field:
        case Email() if not field.as_sent:
            found = email_reader(field)
        case Country():
            found = _country_reader(field)
        case Text() if type(field) is Text:
            found = _name_reader(field)
        case Whole():
            found = _whole_reader(field)
        case Flag():
            found = _flag_reader(field)
        case Elements():
            found = _list_reader(field, unknown)
        case Amount() | Moment():
            found = _recurring_reader(field)
        case fields.Nested():
            found = object_reader(sent_schema_of(field), unknown)
        case _:
            found = _by_field(field)
    return found


def _by_field(field: Any) -> ReadOne:
    take = field._deserialize  # noqa: SLF001 - what the field itself does with a value that is there

    def read(value: Any) -> Any:
        return take(value, None, None)

    return read


def _name_reader(field: Text) -> ReadOne:
    slowly, most = _by_field(field), field.most

    def read(value: Any) -> Any:
        plain = type(value) is str and value.isascii() and len(value) <= most and not value.isspace()
        return value if plain else slowly(value)

    return read


def _recurring_reader(field: Amount | Moment) -> ReadOne:
    """Prices and dates recur, in a batch as in a year. Only what the field takes is kept, if it is short."""
    slowly = _by_field(field)

    def read_short(value: Any) -> Any:
        found = slowly(value)
        if len(str(value)) > _KEPT_CHARS:
            raise _LongError
        return found

    # With the type: 1 is as much as True and 1.0.
    kept = lru_cache(maxsize=_VALUES_KEPT, typed=True)(read_short)

    def read(value: Any) -> Any:
        kind = type(value)
        try:
            return kept(value) if kind is Decimal or kind is str or kind is int else slowly(value)
        except _LongError:
            return slowly(value)

    return read


def _whole_reader(field: Whole) -> ReadOne:
    slowly, least, most = _by_field(field), field.least, field.most

    def read(value: Any) -> Any:
        return value if type(value) is int and least <= value <= most else slowly(value)

    return read


def _flag_reader(field: Flag) -> ReadOne:
    slowly = _by_field(field)

    def read(value: Any) -> Any:
        return value if type(value) is bool else slowly(value)

    return read


def _country_reader(field: Country) -> ReadOne:
    slowly = _by_field(field)

    def read(value: Any) -> Any:
        return value if type(value) is str and value in COUNTRIES else slowly(value)

    return read


def email_reader(field: Email) -> ReadOne:
    """What reads the e-mail that counts."""
    slowly = _by_field(field)
    # Domains recur, mailboxes do not: whether the field takes any plain mailbox of a domain.
    plain: dict[str, bool] = {}

    def is_plain(domain: str) -> bool:
        if domain not in plain:
            if len(plain) >= _DOMAINS_KEPT:
                plain.clear()
            try:
                plain[domain] = slowly(f"a@{domain}") == f"a@{domain}"
            except ValidationError:
                plain[domain] = False
        return plain[domain]

    def read(value: Any) -> Any:
        if type(value) is str and len(value) <= field.most:
            local, _, domain = value.rpartition("@")
            if len(local) <= _LOCAL_PART_CHARS and _LOCAL_PART.fullmatch(local) and is_plain(domain):
                return value
        return slowly(value)

    return read


def _list_reader(field: Elements, unknown: UnknownMembers) -> ReadOne:
    inner = field.inner
    nested = object_reader(sent_schema_of(inner), unknown) if isinstance(inner, fields.Nested) else None
    one: ReadOne = _by_field(inner) if nested is None else nested

    def read(value: Any) -> Any:
        if type(value) is not list or field.too_many(len(value)):
            raise DoubtError
        return [one(element) for element in value]

    return read
