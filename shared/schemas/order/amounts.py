"""The amounts of money in an order that has faults: its currency, once known, may not write them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields

from shared.schemas.fields import Amount, Elements
from shared.schemas.order.sent import schema_of


@dataclass(frozen=True, slots=True)
class AmountFields:
    """The fields of an object that are amounts, or objects or lists of objects with amounts in them."""

    amounts: Mapping[str, Amount]
    objects: Mapping[str, AmountFields]
    lists: Mapping[str, tuple[Elements, AmountFields]]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.amounts or self.objects or self.lists)


def amount_fields(schema: Schema) -> AmountFields:
    """Those of a schema, at every depth; found once, for going through all fields costs more than reading."""
    amounts: dict[str, Amount] = {}
    objects: dict[str, AmountFields] = {}
    lists: dict[str, tuple[Elements, AmountFields]] = {}
    for name, field in schema.fields.items():
        if isinstance(field, Amount):
            amounts[name] = field
        elif isinstance(field, fields.Nested):
            if below := amount_fields(schema_of(field)):
                objects[name] = below
        elif isinstance(field, Elements) and isinstance(field.inner, fields.Nested):
            lists[name] = field, amount_fields(schema_of(field.inner))
    return AmountFields(amounts, objects, lists)


def amounts_sent(sent: Any, known: AmountFields, pointer: str = "") -> Iterator[tuple[str, Decimal]]:
    """The amounts of an object, each with its pointer; what is none has been told already."""
    if not isinstance(sent, dict):
        return
    for name, field in known.amounts.items():
        if sent.get(name) is not None:
            yield from _amount(field, sent[name], f"{pointer}/{name}")
    for name, below in known.objects.items():
        yield from amounts_sent(sent.get(name), below, f"{pointer}/{name}")
    for name, (elements, below) in known.lists.items():
        value = sent.get(name)
        # Of a list that is too long nothing is read.
        if isinstance(value, list) and elements.too_many(len(value)) is None:
            for place, element in enumerate(value):
                yield from amounts_sent(element, below, f"{pointer}/{name}/{place}")


def _amount(field: Amount, value: Any, pointer: str) -> Iterator[tuple[str, Decimal]]:
    try:
        yield pointer, field.deserialize(value)
    except ValidationError:
        return
