"""What is common to the parts of an order as sent: what counts as absent, and which members are unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validates_schema

from shared.domain.outcome import pointer_step
from shared.schemas.fields import Choice, Country, Elements, Members, Moment, Text, Told

_POINTER_STEP_CHARS = 255
WHOLE_NAME = re.compile(r"-?[0-9]{1,19}")
"""What PHP calls the elements of a list that it writes as an object."""

# What MySQL has where there is no date.
_NO_DATES = frozenset({"0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00"})

WrongTogether = tuple[tuple[str, ...], Told]
"""Below an object: the names that lead to what is wrong, and what is."""

NOTHINGS = _NO_DATES | {""}
"""All texts that may stand for nothing, but blank ones of an e-mail."""


class Sent(Schema):
    """A part of an order: an object in which what exporters write for "nothing" is absent (contract §6)."""

    class Meta:
        """Unknown members are not for the schema."""

        unknown = EXCLUDE

    names: frozenset[str] = frozenset()
    """Texts that name something: an empty one names nothing."""

    def is_absent(self, name: str, value: Any) -> bool:
        """Whether a value stands for nothing: null, an empty text, PHP's empty map, MySQL's date of zeros."""
        if value is None:
            return True
        field = self.fields[name]
        if value == "":
            # A required one is told as empty, which says more than that it is missing.
            return not field.required and (name in self.names or _holds_no_text(field))
        if value == []:
            return not field.required and isinstance(field, fields.Nested | Members)
        return isinstance(value, str) and value in _NO_DATES and isinstance(field, Moment)

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether what was read, each value for itself, is not enough or not right together."""
        return not isinstance(values, dict)

    def wrong_together(self, values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """What is wrong with what was read and ``sent`` that no value shows by itself."""
        del values, sent
        yield from ()

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def right_together(self, values: Mapping[str, Any], original: Any, **_: Any) -> None:
        """Refuse what is wrong together, for marshmallow."""
        errors: dict[str, Any] = {}
        for names, told in self.wrong_together(values, original):
            below = errors
            for name in names[:-1]:
                below = below.setdefault(name, {})
            below.setdefault(names[-1] if names else "_schema", []).append(told)
        if errors:
            raise ValidationError(errors)

    @pre_load
    def without_what_is_absent(self, data: Any, **_: Any) -> Any:
        """Only what is there; an empty list is PHP's empty map."""
        if data == []:
            return {}
        if not isinstance(data, dict):
            return data
        known = self.fields
        return {
            name: value for name, value in data.items() if not (name in known and self.is_absent(name, value))
        }


def _holds_no_text(field: Any) -> bool:
    if isinstance(field, Text):
        return field.filled and not isinstance(field, Choice | Country)
    return True


def without_holes(order: dict[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """The order with its lists as lists, and the names that elements had where one was sent as an object.

    PHP writes a list from which something was removed as an object whose names are the places that are left.
    """
    names: dict[str, tuple[str, ...]] = {}
    for member in ("products", "voucherCodes"):
        sent = order.get(member)
        if type(sent) is dict and all(map(WHOLE_NAME.fullmatch, sent)):
            names[member] = tuple(sent)
            order = {**order, member: list(sent.values())}
    return order, names


@dataclass(frozen=True, slots=True)
class Known:
    """The members that an object may have, and what those may have that are objects, or lists of them."""

    names: frozenset[str]
    objects: Mapping[str, Known]
    lists: Mapping[str, tuple[Elements, Known]]


def known_members(schema: Schema) -> Known:
    """All parameters of a schema, at every depth."""
    objects: dict[str, Known] = {}
    lists: dict[str, tuple[Elements, Known]] = {}
    for name, field in schema.fields.items():
        if isinstance(field, fields.Nested):
            objects[name] = known_members(schema_of(field))
        elif isinstance(field, Elements) and isinstance(field.inner, fields.Nested):
            lists[name] = (field, known_members(schema_of(field.inner)))
    return Known(frozenset(schema.fields), objects, lists)


def unknown_members(sent: Any, known: Known, pointer: str = "") -> Iterator[str]:
    """Pointers to all members that are no parameters: an object's own, then those within its members.

    A name of more than 255 characters is cut to 60 in its pointer: a longer one would help nobody.
    """
    if not isinstance(sent, dict):
        return
    if not sent.keys() <= known.names:
        for name in sent:
            if name not in known.names:
                yield unknown_pointer(name, pointer)
    for name, inner in known.objects.items():
        if name in sent:
            yield from unknown_members(sent[name], inner, f"{pointer}/{name}")
    for name, (field, inner) in known.lists.items():
        elements = sent.get(name)
        if isinstance(elements, list) and field.too_many(len(elements)) is None:
            for at, element in enumerate(elements):
                yield from unknown_members(element, inner, f"{pointer}/{name}/{at}")


def unknown_pointer(name: str, pointer: str = "") -> str:
    """The pointer to a member that is no parameter, within what has this one."""
    shown = name if len(name) <= _POINTER_STEP_CHARS else f"{name[:60]}…"
    return f"{pointer}/{pointer_step(shown)}"


def sent_schema_of(field: fields.Nested) -> Sent:
    """The same, of what must be a part of an order. Raises TypeError."""
    schema = schema_of(field)
    if not isinstance(schema, Sent):
        raise TypeError(f"{field.name} is no part of an order")
    return schema


def schema_of(field: fields.Nested) -> Schema:
    """The schema of an object within another."""
    schema = field.schema
    return schema if isinstance(schema, Schema) else schema()
