r"""Each field of ``shared.schemas.fields`` as JSON Schema.

What a schema here allows, its field accepts. The other way round, a few odd spellings that are accepted for
old clients' sake (``"+2"``, ``"TRUE"``) are left out: nobody should start to write them. What JSON Schema
has no words for is still refused: 30 February, an e-mail address in a domain that is not for mail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from marshmallow.fields import Constant

from shared.domain.order import MOST_MONEY
from shared.schemas.fields import (
    Amount,
    Choice,
    Country,
    Currency,
    Email,
    Flag,
    Labels,
    Line,
    Members,
    Moment,
    Text,
    Whole,
    Words,
)
from shared.schemas.fields.labels import LABEL_NAME_CHARS, LABEL_VALUE_CHARS, LABELS_MOST
from shared.schemas.lists.orders import KeyText
from shared.schemas.order.declaration import Lines
from shared.schemas.order.step import LINE_ID, UnitsByLine

if TYPE_CHECKING:
    from marshmallow.fields import Field

JsonSchema = dict[str, Any]

COUNTRY = "Country"
"""The component that has the country codes: they are many, and named from many places."""

CURRENCY = "Currency"
"""The component that has the currency codes."""

# ECMA 262, as JSON Schema asks for. U+0000 cannot be stored.
_STORABLE = r"^[^\u0000]*$"
_FILLED = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
_PRINTABLE = r"[^\s\u0000-\u001f\u007f-\u009f]"
_LINE = rf"^([^\u0000-\u001f\u007f-\u009f]*{_PRINTABLE})[^\u0000-\u001f\u007f-\u009f]*$"
_LABEL = (
    rf"^[A-Za-z0-9_.-]{{1,{LABEL_NAME_CHARS}}}:"
    rf"{_PRINTABLE}[^\u0000-\u001f\u007f-\u009f]{{0,{LABEL_VALUE_CHARS - 1}}}$"
)
_MONEY = r"^[0-9]{1,12}(\.[0-9]{1,3})?$"
_DATE = r"[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_MOMENT = rf"^{_DATE}([T ]{_CLOCK}{_ZONE}?)?$"
_AS_TEXT = "the same as text"


def describe_field(_converter: object, field: Field[Any], **_: Any) -> JsonSchema:
    """Give the schema of one of our own fields; an attribute function of apispec's converter.

    A field of marshmallow's own stays as the functions before this one have made it.
    """
    found = next((describe(field) for kind, describe in _DESCRIBE.items() if isinstance(field, kind)), {})
    if field.allow_none and not isinstance(field, Lines):
        _or_null(found)
    return found


def _or_null(schema: JsonSchema) -> None:
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    elif "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"].append(None)


def _country(_: Country) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{COUNTRY}"}


def _currency(_: Currency) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{CURRENCY}"}


def _text(field: Text) -> JsonSchema:
    filled = {"minLength": 1, "pattern": _FILLED}
    return {
        "type": "string",
        **(filled if field.filled else {"pattern": _STORABLE}),
        "maxLength": field.most,
    }


def _line(field: Line) -> JsonSchema:
    return {"type": "string", "pattern": _LINE, "minLength": 1, "maxLength": field.most}


def _labels(_: Labels) -> JsonSchema:
    label = {"type": "string", "pattern": _LABEL, "examples": ["shop:se"]}
    return {"type": "array", "items": label, "maxItems": LABELS_MOST, "uniqueItems": True}


def _key(field: KeyText) -> JsonSchema:
    return {"type": "string", "maxLength": field.most}


def _whole(field: Whole) -> JsonSchema:
    number = {"type": "integer", "minimum": field.least, "maximum": field.most}
    return {"anyOf": [number, {"type": "string", "pattern": _digits(field), "description": _AS_TEXT}]}


def _digits(field: Whole) -> str:
    """Integers as text, of fewer digits than the largest: a pattern for exact bounds is unreadable."""
    fewer = len(str(field.most)) - 1
    if fewer == 0:
        digits = f"[{field.least}-{field.most}]"
    elif field.least > 0:
        digits = f"[1-9][0-9]{{0,{fewer - 1}}}"
    else:
        digits = f"[0-9]{{1,{fewer}}}"
    return rf"^{digits}(\.0)?$"


def _amount(_: Amount) -> JsonSchema:
    number = {"type": "number", "minimum": 0, "maximum": float(MOST_MONEY), "multipleOf": 0.001}
    return {"anyOf": [number, {"type": "string", "pattern": _MONEY, "description": _AS_TEXT}]}


def _flag(_: Flag) -> JsonSchema:
    # One type each: of an enumeration of mixed types, generators of clients make nothing.
    number = {"type": "integer", "enum": [0, 1]}
    word = {"type": "string", "enum": ["true", "false", "1", "0"], "description": _AS_TEXT}
    return {"anyOf": [{"type": "boolean"}, number, word]}


def _choice(field: Choice) -> JsonSchema:
    return {"type": "string", "enum": list(field.words)}


def _words(field: Words) -> JsonSchema:
    one = "|".join(field.words)
    return {"type": "string", "pattern": f"^({one})(,({one}))*$", "maxLength": field.most}


def _email(field: Email) -> JsonSchema:
    return {"type": "string", "format": "email", "maxLength": field.most}


def _moment(_: Moment) -> JsonSchema:
    return {
        "type": "string",
        "title": "date, or date and time",
        "pattern": _MOMENT,
        "examples": ["2027-01-31", "2027-01-31 12:00:00", "2027-01-31T12:00:00+01:00"],
    }


def _members(field: Members) -> JsonSchema:
    return {"type": "object", "maxProperties": field.most_members, "additionalProperties": {}}


def _lines(field: Lines) -> JsonSchema:
    return {"type": "array", "minItems": 1, "maxItems": getattr(field.root, "max_lines", 1)}


def _constant(field: Constant[Any]) -> JsonSchema:
    return {"const": field.constant}


# The first that fits: a kind stands before what it is a kind of.
def _units_by_line(field: UnitsByLine) -> JsonSchema:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": field.most,
        "propertyNames": {"pattern": LINE_ID},
        "additionalProperties": _whole(field.units),
    }


_DESCRIBE: dict[type, Callable[[Any], JsonSchema]] = {
    Choice: _choice,
    Words: _words,
    Country: _country,
    Currency: _currency,
    Email: _email,
    Line: _line,
    Text: _text,
    KeyText: _key,
    Labels: _labels,
    Whole: _whole,
    Flag: _flag,
    Amount: _amount,
    Moment: _moment,
    Members: _members,
    Lines: _lines,
    Constant: _constant,
    UnitsByLine: _units_by_line,
}
