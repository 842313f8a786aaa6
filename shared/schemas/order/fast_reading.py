"""The fast way for orders without faults: from an order's bytes to its request, made from its schema.

The marshmallow schema is the one declaration. From its fields this makes readers that give the same values
several times faster, for every form that the contract allows. What has a fault is doubted, which costs
nothing but time: ``thorough_reading`` reads it then. A test holds both ways to the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import msgspec
from marshmallow import ValidationError, fields

from shared.domain.order import LineRequest
from shared.domain.outcome import MOST_IGNORED
from shared.domain.parsed import Parsed
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import Email
from shared.schemas.order.address import AddressSchema
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.fast_fields import (
    DoubtError,
    UnknownMembers,
    address_reader,
    email_reader,
    members_reader,
    object_reader,
)
from shared.schemas.order.line import LineSchema
from shared.schemas.order.requests import line_request, order_request
from shared.schemas.order.sent import (
    WHOLE_NAME,
    known_members,
    unknown_members,
    unknown_pointer,
    without_holes,
)

_LINES_KEPT: Final = 5_000
_KEPT_LINE_BYTES: Final = 400
"""The same goods are ordered at the same prices, in a batch as in a year: so lines recur, text for text. What
is kept of them is some 5 MB at most."""

_SCALARS_KEPT: Final = 10_000
_KEPT_SCALAR_BYTES: Final = 40
"""Dates, flags and names of markets recur as well."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


class FastReader:
    """Reads the JSON text of an order that has no faults."""

    def __init__(self, schema: OrderSchema, *, strict: bool) -> None:
        self._schema = schema
        self._strict = strict
        self._known = known_members(schema)
        self._unknown = UnknownMembers()
        self._addresses = {
            name: address_reader(field.schema, self._unknown)
            for name, field in schema.fields.items()
            if isinstance(field, fields.Nested) and isinstance(field.schema, AddressSchema)
        }
        self._read_others = members_reader(schema, self._unknown)
        self._check_email = email_reader(Email())
        self._read_line = object_reader(LineSchema(), UnknownMembers())
        self._kept_line = lru_cache(maxsize=_LINES_KEPT)(self._line)

    def read(self, text: bytes) -> Parsed | None:
        """The order, None in doubt. No string of it holds U+0000: whoever calls has made sure."""
        try:
            return self._read(text)
        except (ValidationError, DoubtError, ValueError, RecursionError, InvalidOperation):
            return None

    def _read(self, text: bytes) -> Parsed:
        self._unknown.seen = False
        values: dict[str, Any] = {}
        others: dict[str, Any] = {}
        unknown: list[str] = []
        products = b""
        for name, written in _members(text).items():
            address = self._addresses.get(name)
            if address is not None:
                found = address(written)
                if found is not None:
                    values[name] = found
            elif name == "products":
                products = written
            else:
                value = _scalar(written) if len(written) <= _KEPT_SCALAR_BYTES else read_exactly(written)
                if name in self._known.names:
                    others[name] = value
                else:
                    unknown.append(name)
        lines, names = self._lines(products)
        if others:
            others, more_names = without_holes(others)
            names |= more_names
            values |= self._read_others(others)
        self._check(values)
        if (unknown or self._unknown.seen) and self._strict:
            raise DoubtError
        request = order_request(values, lines, names or None)
        ignored = self._ignored(text, unknown) if unknown or self._unknown.seen else ()
        return Parsed(request, names=request.names, ignored=ignored, element_names=request.element_names)

    def _check(self, values: Mapping[str, Any]) -> None:
        """Doubt what is not enough or not right together."""
        if self._schema.lacks(values):
            raise DoubtError
        invoice = self._schema.invoice(values)
        if invoice is not None:
            # The one e-mail that counts; any other is kept as sent.
            self._check_email(invoice["email"])

    def _lines(self, products: bytes) -> tuple[list[LineRequest], dict[str, tuple[str, ...]]]:
        """The order's lines, and their names where they were sent as an object: PHP's list with holes."""
        names: dict[str, tuple[str, ...]] = {}
        if products[:1] == b"{":
            sent = _members(products)
            if not all(map(WHOLE_NAME.fullmatch, sent)):
                raise DoubtError
            names["products"] = tuple(sent)
            written = list(sent.values())
        else:
            written = [bytes(raw) for raw in _ELEMENTS.decode(products)]
        if not 0 < len(written) <= self._schema.max_lines:
            raise DoubtError
        lines: list[LineRequest] = []
        for one in written:
            line, has_unknown = self._kept_line(one) if len(one) <= _KEPT_LINE_BYTES else self._line(one)
            lines.append(line)
            if has_unknown:
                self._unknown.seen = True
        return lines, names

    def _line(self, text: bytes) -> tuple[LineRequest, bool]:
        """A line, and whether it has unknown members."""
        sent = read_exactly(text)
        return line_request(self._read_line(sent)), any(
            unknown_members(sent, self._known.lists["products"][1])
        )

    def _ignored(self, text: bytes, unknown: list[str]) -> tuple[str, ...]:
        """The first pointers to unknown members; ``unknown`` are the names of the order's own."""
        if not self._unknown.seen:
            return tuple(map(unknown_pointer, unknown[:MOST_IGNORED]))
        order, _ = without_holes(read_exactly(text))
        return tuple(islice(unknown_members(order, self._known), MOST_IGNORED))


@lru_cache(maxsize=_SCALARS_KEPT)
def _kept_scalar(text: bytes) -> Any:
    return read_exactly(text)


def _scalar(text: bytes) -> Any:
    # Nobody shares an object or a list with another order.
    return read_exactly(text) if text[:1] in b"{[" else _kept_scalar(text)


def _members(text: bytes) -> dict[str, bytes]:
    """The members of a JSON object, each as its text. Doubts where one may stand twice.

    msgspec keeps the last of two members of a name. Each member has a colon of its own: if there are no more
    of them than those that were kept have, none was left out. A name that holds one is doubted, too.
    """
    sent = {name: bytes(raw) for name, raw in _MEMBERS.decode(text).items()}
    if text.count(b":") != len(sent) + sum([one.count(b":") for one in sent.values()]):
        raise DoubtError
    return sent
