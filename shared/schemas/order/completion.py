"""What may be sent when an order is completed, or added to: a part of an order's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import ValidationError

from shared.domain.completion import Completion, Misread
from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import MOST_IGNORED, Fault, quoted
from shared.domain.reasons import NOT_OBJECT, NOT_READABLE, UNKNOWN_FIELD
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import Whole
from shared.schemas.order.amounts import amount_fields, amounts_sent
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.fast_fields import DoubtError, UnknownMembers, object_reader
from shared.schemas.order.parameters import described
from shared.schemas.order.reading import NUL, UNKNOWN, faults_of
from shared.schemas.order.sent import known_members, unknown_members

PARAMETERS = (
    "payment",
    "buyerName",
    "internalComment",
    "comment",
    "poNumber",
    "orderDate",
    "deliveryDate",
    "cancelDate",
    "warehouseGroup",
)
_COLUMNS = {
    "buyerName": "buyer_name",
    "internalComment": "internal_comment",
    "comment": "comment",
    "poNumber": "po_number",
    "orderDate": "order_date",
    "deliveryDate": "delivery_date",
    "cancelDate": "cancel_date",
}


class OrderCompletionSchema(OrderSchema):
    """A completion that names its order."""

    order = Whole(
        required=True, least=1, most=MOST_NUMBER, metadata=described("The number of the order, or of a part.")
    )


class CompletionReader:
    """Reads completions; ``strict`` makes each unknown member an error. ``named``: each names its order."""

    def __init__(self, *, zone: ZoneInfo, strict: bool, named: bool) -> None:
        self._strict = strict
        self._schema = completion_schema(zone=zone, named=named)
        self._known = known_members(self._schema)
        self._amounts = amount_fields(self._schema)
        self._unknown = UnknownMembers()
        self._fast = object_reader(self._schema, self._unknown)

    def read(self, raw: bytes | msgspec.Raw) -> Completion | Misread:
        """Read one completion of JSON whose syntax has been checked."""
        return self._read(bytes(raw), thoroughly=False)

    def read_thoroughly(self, raw: bytes | msgspec.Raw) -> Completion | Misread:
        """The same without the fast way."""
        return self._read(bytes(raw), thoroughly=True)

    def _read(self, text: bytes, *, thoroughly: bool) -> Completion | Misread:
        try:
            sent = read_exactly(text)
        except (ValueError, RecursionError) as error:
            return Misread((Fault(NOT_READABLE, "", f"the completion cannot be read: {error}"),))
        if not isinstance(sent, dict):
            return Misread((Fault(NOT_OBJECT, "", f"the completion is {quoted(sent)}; send an object"),))
        # The fast way does not look for U+0000 in texts.
        if not thoroughly and (b"\\" not in text or NUL not in text):
            values = self._without_faults(sent)
            if values is not None:
                return _completion(values, ())
        return self._read_thoroughly(sent)

    def _without_faults(self, sent: dict[str, Any]) -> dict[str, Any] | None:
        """The values of a completion without faults or unknown members; None in doubt."""
        self._unknown.seen = False
        try:
            values: dict[str, Any] = self._fast(sent)
        except (ValidationError, DoubtError, ValueError, RecursionError, InvalidOperation):
            return None
        return None if self._unknown.seen else values

    def _read_thoroughly(self, sent: dict[str, Any]) -> Completion | Misread:
        unknown = tuple(unknown_members(sent, self._known))
        faults = [Fault(UNKNOWN_FIELD, at, UNKNOWN) for at in unknown] if self._strict else []
        ignored = () if self._strict else unknown[:MOST_IGNORED]
        values: dict[str, Any]
        try:
            values = self._schema.load(sent)
        except ValidationError as error:
            faults += faults_of(error, sent)
            values = error.valid_data if isinstance(error.valid_data, dict) else {}
        if faults:
            amounts = tuple(amounts_sent(sent, self._amounts))
            return Misread(tuple(faults), amounts, ignored, values.get("order"))
        return _completion(values, ignored)


def _completion(values: Mapping[str, Any], ignored: tuple[str, ...]) -> Completion:
    details = {column: values[name] for name, column in _COLUMNS.items() if values.get(name) is not None}
    return Completion(
        values.get("payment"), values.get("warehouseGroup"), details, ignored, values.get("order")
    )


def completion_schema(*, zone: ZoneInfo, named: bool) -> OrderSchema:
    """The schema of a completion, for reading and for describing; ``named``: it names its order."""
    schema = OrderCompletionSchema if named else OrderSchema
    only = ("order", *PARAMETERS) if named else PARAMETERS
    return schema(zone=zone, max_lines=0, only=only, needs_address=False)
