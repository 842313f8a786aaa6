"""From an order's bytes to an order request, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import ValidationError

from shared.domain.outcome import MOST_IGNORED, Fault, pointer_step, quoted
from shared.domain.parsed import Parsed
from shared.domain.reasons import (
    IS_NULL,
    NOT_ARRAY,
    NOT_OBJECT,
    NOT_READABLE,
    NOT_VALID,
    ORDER_EMPTY,
    UNKNOWN_FIELD,
)
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import Told
from shared.schemas.order.amounts import amount_fields, amounts_sent
from shared.schemas.order.declaration import OrderSchema, not_an_object
from shared.schemas.order.fast_reading import FastReader
from shared.schemas.order.parameters import NAME_CHARS
from shared.schemas.order.requests import first_of, line_request, order_request, references_of
from shared.schemas.order.sent import known_members, unknown_members, without_holes
from shared.schemas.order.thorough_reading import ThoroughReader

NUL = b"\\u0000"
"""The only way to write U+0000 in JSON."""

UNKNOWN = "is not a parameter here; leave it out, or do not ask for handling=strict"
# marshmallow's own texts, which do not name the value.
_BARE = {
    "Invalid input type.": (NOT_OBJECT, "{value} is not an object"),
    "Not a valid list.": (NOT_ARRAY, "{value} is not an array"),
    "Field may not be null.": (IS_NULL, "is null; leave it out"),
    "Unknown field.": (UNKNOWN_FIELD, UNKNOWN),
}


class OrderReader:
    """Reads orders; ``strict`` makes each unknown member an error."""

    def __init__(self, *, zone: ZoneInfo, max_lines: int, strict: bool) -> None:
        self._strict = strict
        schema = OrderSchema(zone=zone, max_lines=max_lines)
        self._known = known_members(schema)
        self._amounts = amount_fields(schema)
        self._fast = FastReader(schema, strict=strict)
        self._thorough = ThoroughReader(schema)

    def read(self, raw: bytes | msgspec.Raw) -> Parsed:
        """Read one order of JSON whose syntax has been checked."""
        return self._read(raw, thoroughly=False)

    def read_thoroughly(self, raw: bytes | msgspec.Raw) -> Parsed:
        """The same without the fast way."""
        return self._read(raw, thoroughly=True)

    def _read(self, raw: bytes | msgspec.Raw, *, thoroughly: bool) -> Parsed:
        text = bytes(raw)
        # The first look is much the cheaper one, and nearly all orders have no escape at all.
        if not thoroughly and (b"\\" not in text or NUL not in text):
            parsed = self._fast.read(text)
            if parsed is not None:
                return parsed
        try:
            sent = read_exactly(text)
        except (ValueError, RecursionError) as error:
            return _faulty([Fault(NOT_READABLE, "", f"the order cannot be read: {error}")])
        if not isinstance(sent, dict):
            return _faulty([Fault(NOT_OBJECT, "", not_an_object(sent))])
        order, element_names = without_holes(sent)
        parsed = self._read_thoroughly(order)
        if not element_names:
            return parsed
        request = parsed.request and replace(parsed.request, element_names=element_names)
        return replace(parsed, request=request, element_names=element_names)

    def _ignored(self, order: dict[str, Any]) -> tuple[str, ...]:
        return tuple(islice(unknown_members(order, self._known), MOST_IGNORED))

    def _read_thoroughly(self, order: dict[str, Any]) -> Parsed:
        """Read an order in any form that the contract allows, or tell all that is wrong with it."""
        if not self._strict:
            return replace(self._loaded(order, []), ignored=self._ignored(order))
        faults = [Fault(UNKNOWN_FIELD, at, UNKNOWN) for at in unknown_members(order, self._known)]
        return self._loaded(order, faults)

    def _loaded(self, order: dict[str, Any], faults: list[Fault]) -> Parsed:
        if order.get("products") in (None, [], ""):
            faults.append(Fault(ORDER_EMPTY, "/products", "the order has no lines; send at least one"))
        values, found = self._thorough.read(order)
        faults += found
        if faults:
            return self._faulty(order, faults, values)
        request = order_request(values, [line_request(line) for line in values["products"]])
        return Parsed(request, names=request.names)

    def _faulty(self, order: dict[str, Any], faults: list[Fault], values: Mapping[str, Any]) -> Parsed:
        amounts = tuple(amounts_sent(order, self._amounts))
        return replace(_faulty(faults, values, addressed=_addressed(order)), amounts=amounts)


def _addressed(order: Mapping[str, Any]) -> bool:
    names = ("address", "invoiceAddress", "deliveryAddress")
    return any(order.get(name) not in (None, "", []) for name in names)


def _faulty(
    faults: list[Fault], values: Mapping[str, Any] | None = None, *, addressed: bool = True
) -> Parsed:
    values = values or {}
    delivery = first_of(values, "deliveryAddress", "address", "invoiceAddress") or {}
    return Parsed(None, tuple(faults), references_of(values), delivery.get("country"), addressed=addressed)


def faults_of(error: ValidationError, sent: Mapping[str, Any]) -> Iterator[Fault]:
    """What marshmallow found wrong with what was sent, each with its pointer and its value."""
    yield from _faults(error.messages_dict, "", sent)


def _faults(messages: Any, pointer: str, value: Any) -> Iterator[Fault]:
    if isinstance(messages, dict):
        for step, inner in messages.items():
            if step == "_schema":
                yield from _faults(inner, pointer, value)
            elif isinstance(step, str) and len(step) > NAME_CHARS:
                # No parameter is called so; a pointer of megabytes would help nobody.
                yield Fault(UNKNOWN_FIELD, pointer, f"{quoted(step)} {UNKNOWN}")
            else:
                yield from _faults(inner, f"{pointer}/{pointer_step(str(step))}", _member(value, step))
        return
    for message in messages:
        if isinstance(message, Told):
            yield Fault(message.reason, pointer, str(message), message.params)
        else:
            reason, text = _BARE.get(message, (NOT_VALID, message))
            yield Fault(reason, pointer, text.replace("{value}", quoted(value)))


def _member(value: Any, step: Any) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    return None
