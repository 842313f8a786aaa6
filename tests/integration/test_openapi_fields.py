"""Held together value by value: what the document allows, a field accepts; what it accepts, is allowed."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from marshmallow import Schema, ValidationError
from marshmallow.fields import Field

from shared.schemas.countries import COUNTRIES
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import (
    Amount,
    Choice,
    Country,
    Email,
    Flag,
    Members,
    Moment,
    Text,
    Whole,
)
from shared.schemas.openapi.components import new_document

# Each is JSON as a client could write it.
WRITTEN = [
    *("null", "true", "false", "[]", "{}", '{"a": [1, {"b": null}]}', '[""]'),
    *("0", "1", "2", "-1", "2.0", "2.5", "2e0", "1e1", "10", "255", "256", "1e400", "1E-2", "-0", "-0.0"),
    *("2147483647", "2147483648", "9007199254740992", "14.11", "14.115", "0.01", "0.001", "-0.01"),
    *("999999999999.999", "999999999999.9991", "1000000000000", "1" + "0" * 30, "100.10", "33.33", "4.35"),
    *('""', '" "', '"0"', '"1"', '"2"', '"2.0"', '"2.5"', '"10"', '"-1"', '"abc"', '"1e1"', '"0x1"'),
    *('"14.11"', '"14.115"', '"9999999999999"', '"true"', '"false"', '"yes"', '"NaN"', '"Infinity"'),
    *('"SE"', '"US"', '"XX"', '"se"', '"order"', '"plugin"', '"ORDER"', '"x@example.com"', '"x@"', '"x"'),
    *('"2027-01-31"', '"2027-01-31 12:00:00"', '"2027-01-31T12:00"', '"2027-01-31T12:00:00Z"'),
    *('"2027-01-31T12:00:00.123456+01:00"', '"2027-13-01"', '"2027-00-10"', '"2027-01-32"', '"0000-01-01"'),
    *('"2027-01-31T24:30:00"', '"2027-01-31T12:60"', '"2027-01-31_12:00"', '"31.01.2027"', '"2027-1-31"'),
    *(
        json.dumps("a\x00b"),
        json.dumps("\x00"),
        json.dumps("\n"),
        json.dumps("Ünï 你好 🛒"),
        '"٣"',
        '"\\uff12"',
    ),
    *(json.dumps("x" * n) for n in (10, 11, 254, 255, 256, 5_000)),
    json.dumps({str(n): n for n in range(4)}),
]
FIELDS: dict[str, Field[Any]] = {
    "text": Text(most=10),
    "text or null": Text(most=10, allow_none=True),
    "filled": Text(most=10, filled=True),
    "choice": Choice("order", "return", "plugin"),
    "email": Email(),
    "country": Country(required=True),
    "quantity": Whole(least=1, most=2_147_483_647, required=True),
    "status": Whole(least=0, most=2),
    "count": Whole(least=0, most=255),
    "number or null": Whole(least=1, most=2**53 - 1, allow_none=True),
    "flag": Flag(),
    "flag or null": Flag(allow_none=True),
    "amount": Amount(),
    "amount or null": Amount(allow_none=True),
    "moment": Moment(),
    "members": Members(most_members=3, most=1_000),
}
# JSON Schema has no words for these: the form is right, and the value is refused all the same.
ONLY_ITS_FORM = {
    "email": lambda value: isinstance(value, str),
    # To JSON Schema 0.0 is 0.
    "flag": lambda value: isinstance(value, float),
    "flag or null": lambda value: isinstance(value, float),
    "members": lambda value: "\x00" in json.dumps(value) or "e400" in json.dumps(value),
}
# Spellings that are taken from those who have them, and not advertised.
NOT_ADVERTISED = {
    "quantity": {'"2.0"'},
    "moment": {'"2027-01-31T24:30:00"'},
}


def accepted(field: Field[Any], written: str) -> bool:
    try:
        field.deserialize(read_exactly(written.encode()))
    except ValidationError:
        return False
    return True


def described(field: Field[Any]) -> jsonschema_rs.Validator:
    spec = new_document({"title": "fields", "version": "1"})
    spec.components.schema("Country", {"type": "string", "enum": sorted(COUNTRIES)})
    spec.components.schema("Held", schema=Schema.from_dict({"value": field})())
    components = spec.to_dict()["components"]
    held = "#/components/schemas/Held/properties/value"
    return jsonschema_rs.Draft202012Validator({"$ref": held, "components": components})


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_accepts_what_the_document_allows(name: str) -> None:
    field, allowed = FIELDS[name], described(FIELDS[name])

    for written in WRITTEN:
        value = json.loads(written)
        if allowed.is_valid(value) and not ONLY_ITS_FORM.get(name, lambda _: False)(value):
            assert accepted(field, written), written


@pytest.mark.parametrize("name", FIELDS)
def test_the_document_allows_what_a_field_accepts(name: str) -> None:
    field, allowed = FIELDS[name], described(FIELDS[name])

    unsaid = {
        written
        for written in WRITTEN
        if accepted(field, written) and not allowed.is_valid(json.loads(written))
    }

    assert unsaid <= NOT_ADVERTISED.get(name, set())
