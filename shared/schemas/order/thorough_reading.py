"""All that is wrong with an order, and what of it can be read: plain loops, made from the order's schema.

marshmallow, loading by the same schema, says the same and takes several times as long, which whoever sends
faulty orders would take from all others. A test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from shared.domain.order import UNREAD_CODE
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import FIELD_MISSING, IS_NULL, NOT_ARRAY, NOT_OBJECT
from shared.schemas.fields import Elements, Told, told_by
from shared.schemas.order.declaration import Codes, OrderSchema
from shared.schemas.order.sent import NOTHINGS, Sent, sent_schema_of

ReadOne = Callable[[Any, str, list[Fault]], Any]
"""Reads a value that is there and adds its faults, with their pointers. Gives what of it could be read."""

_ABSENT: Final = object()


class ThoroughReader:
    """Reads the JSON value of any order."""

    def __init__(self, schema: OrderSchema) -> None:
        self._read = _object_reader(schema)

    def read(self, order: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
        """The values that could be read, by name, and all faults, in the order of the declaration."""
        faults: list[Fault] = []
        return self._read(order, "", faults), faults


def _object_reader(schema: Sent) -> Callable[[Any, str, list[Fault]], dict[str, Any]]:
    readers = [(name, field.required, _reader(field)) for name, field in schema.fields.items()]
    is_absent, wrong_together = schema.is_absent, schema.wrong_together

    def read(sent: Any, pointer: str, faults: list[Fault]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        ends: dict[str, int] = {}
        if type(sent) is dict:
            for name, required, read_one in readers:
                value = sent.get(name, _ABSENT)
                if value is _ABSENT or (_is_perhaps_nothing(value) and is_absent(name, value)):
                    if required:
                        faults.append(Fault(FIELD_MISSING, f"{pointer}/{name}", "is required"))
                    continue
                before = len(faults)
                found = read_one(value, f"{pointer}/{name}", faults)
                if len(faults) == before:
                    values[name] = found
                    continue
                ends[name] = len(faults)
                if found:
                    values[name] = found
        elif sent == []:
            # PHP's empty map.
            faults += [
                Fault(FIELD_MISSING, f"{pointer}/{name}", "is required")
                for name, required, _ in readers
                if required
            ]
        else:
            faults.append(Fault(NOT_OBJECT, pointer, f"{quoted(sent)} is not an object"))
        for names, told in wrong_together(values, sent):
            # With the others of the same member, where it has any.
            at = ends.get(names[0], len(faults)) if names else len(faults)
            faults.insert(at, _fault(told, "/".join((pointer, *names))))
        return values

    return read


def _is_perhaps_nothing(value: Any) -> bool:
    return not value or (type(value) is str and (value in NOTHINGS or value.isspace()))


def _fault(told: Told, pointer: str) -> Fault:
    return Fault(told.reason, pointer, str(told), told.params)


def _reader(field: Any) -> ReadOne:
    if isinstance(field, fields.Nested):
        return _object_reader(sent_schema_of(field))
    return _list_reader(field) if isinstance(field, Elements) else _value_reader(field)


def _value_reader(field: Any) -> ReadOne:
    take = field._deserialize  # noqa: SLF001 - what the field itself does with a value that is there

    def read(value: Any, pointer: str, faults: list[Fault]) -> Any:
        try:
            return take(value, None, None)
        except ValidationError as error:
            faults += [_fault(told, pointer) for told in told_by(error)]
        return None

    return read


def _list_reader(field: Elements) -> ReadOne:
    read_one = _reader(field.inner)
    unread = UNREAD_CODE if isinstance(field, Codes) else None

    def read(value: Any, pointer: str, faults: list[Fault]) -> list[Any] | None:
        if type(value) is not list:
            faults.append(Fault(NOT_ARRAY, pointer, f"{quoted(value)} is not an array"))
            return None
        told = field.too_many(len(value))
        if told is not None:
            faults.append(_fault(told, pointer))
            return None
        found: list[Any] = []
        for place, element in enumerate(value):
            before = len(faults)
            if element is None:
                faults.append(Fault(IS_NULL, f"{pointer}/{place}", "is null; leave it out"))
                found.append(unread)
            else:
                one = read_one(element, f"{pointer}/{place}", faults)
                found.append(one if len(faults) == before else unread)
        return found

    return read
