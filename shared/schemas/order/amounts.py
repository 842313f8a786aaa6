"""The amounts of money in an order that has faults: its currency, once known, may not write them so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields

from shared.schemas.fields import Amount, Elements
from shared.schemas.order.sent import schema_of


def amounts_sent(sent: Any, schema: Schema, pointer: str = "") -> Iterator[tuple[str, Decimal]]:
    """The amounts of an object of this schema, each with its pointer; what is none has been told already."""
    if not isinstance(sent, dict):
        return
    for name, field in schema.fields.items():
        value, at = sent.get(name), f"{pointer}/{name}"
        if value is None:
            continue
        if isinstance(field, Amount):
            yield from _amount(field, value, at)
        elif isinstance(field, fields.Nested):
            yield from amounts_sent(value, schema_of(field), at)
        elif isinstance(field, Elements) and isinstance(field.inner, fields.Nested):
            # Of a list that is too long nothing is read.
            read = value if isinstance(value, list) and field.too_many(len(value)) is None else []
            for place, element in enumerate(read):
                yield from amounts_sent(element, schema_of(field.inner), f"{at}/{place}")


def _amount(field: Amount, value: Any, pointer: str) -> Iterator[tuple[str, Decimal]]:
    try:
        yield pointer, field.deserialize(value)
    except ValidationError:
        return
