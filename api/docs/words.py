"""JSON Schema in words: what stands in the column "type" of the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MOST_SHOWN: Final = 8
_FORMATS: Final = {
    "email": "e-mail address",
    "date-time": "moment (RFC 3339)",
    "uuid": "UUID",
    "binary": "sent as it is",
    "uri-reference": "link",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """A few words: plain, a value (``code``), or the name of a component (``component``)."""

    text: str
    code: bool = False
    component: bool = False


def in_words(schema: Schema) -> list[Piece]:
    """Say what a schema allows, as pieces that follow each other."""
    return list(_words(schema))


def component_name(ref: str) -> str:
    """The name that a reference into the components ends with."""
    return ref.rpartition("/")[2]


def _words(schema: Schema) -> Iterator[Piece]:
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if "$ref" in schema:
        yield Piece(component_name(schema["$ref"]), component=True)
    elif "const" in schema:
        yield Piece(_written(schema["const"]), code=True)
    elif "enum" in schema:
        yield from _values(schema["enum"])
    elif alternatives and not any("const" in one for one in alternatives):
        yield from _joined([_alternative(one) for one in alternatives], " or ")
    else:
        yield from _typed(schema)


def _alternative(schema: Schema) -> list[Piece]:
    said = schema.get("description")
    return [Piece(said)] if said and "$ref" not in schema else in_words(schema)


def _values(values: Sequence[Any]) -> Iterator[Piece]:
    if len(values) > _MOST_SHOWN:
        yield Piece(f"one of {len(values)} codes")
        return
    yield from _joined([[Piece(_written(value), code=True)] for value in values], ", ")


def _typed(schema: Schema) -> Iterator[Piece]:
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    named = [list(_one_type(kind, schema)) for kind in types]
    yield from _joined(named, " or ") if named else [Piece("anything")]


def _one_type(kind: str, schema: Schema) -> Iterator[Piece]:
    if kind == "string":
        name = schema.get("title") or _FORMATS.get(schema.get("format", "")) or "text"
        yield Piece(name + _text_bounds(schema))
    elif kind in {"integer", "number"}:
        yield Piece(kind + _number_bounds(schema))
    elif kind == "array":
        yield Piece("list of ")
        yield from _words(schema.get("items", {}))
        yield Piece(_bounds(schema, "Items", ""))
    elif kind == "object" and schema.get("additionalProperties"):
        yield Piece("object of ")
        yield from _words(schema["additionalProperties"])
        yield Piece(_bounds(schema, "Properties", " members"))
    elif kind == "object":
        yield Piece("object" + _bounds(schema, "Properties", " members"))
    else:
        yield Piece(kind)


def _text_bounds(schema: Schema) -> str:
    not_empty = ", not empty" if schema.get("minLength") else ""
    most = f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
    return not_empty + most


def _number_bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    step = f" by {schema['multipleOf']}" if "multipleOf" in schema else ""
    if least is None and most is None:
        return step
    if most is None:
        return f" from {least}{step}"
    return f" {least} to {most}{step}"


def _bounds(schema: Schema, what: str, unit: str) -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    said = [f"at least {least}{unit}"] if least else []
    said += [f"at most {most:,}{unit}"] if most is not None else []
    return "".join(f", {one}" for one in said)


def _joined(many: Sequence[Sequence[Piece]], by: str) -> Iterator[Piece]:
    for number, pieces in enumerate(many):
        if number:
            yield Piece(by)
        yield from pieces


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
