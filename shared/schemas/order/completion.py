"""What may be sent when an order is completed, or added to: a part of an order's parameters."""

from __future__ import annotations

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
from shared.schemas.order.parameters import described
from shared.schemas.order.reading import UNKNOWN, faults_of
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

    def read(self, raw: bytes | msgspec.Raw) -> Completion | Misread:
        """Read one completion of JSON whose syntax has been checked."""
        try:
            sent = read_exactly(raw)
        except (ValueError, RecursionError) as error:
            return Misread((Fault(NOT_READABLE, "", f"the completion cannot be read: {error}"),))
        if not isinstance(sent, dict):
            return Misread((Fault(NOT_OBJECT, "", f"the completion is {quoted(sent)}; send an object"),))
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
        return Completion(
            payment=values.get("payment"),
            warehouse_group=values.get("warehouseGroup"),
            details={_COLUMNS[n]: values[n] for n in _COLUMNS if values.get(n) is not None},
            ignored=ignored,
            order=values.get("order"),
        )


def completion_schema(*, zone: ZoneInfo, named: bool) -> OrderSchema:
    """The schema of a completion, for reading and for describing; ``named``: it names its order."""
    schema = OrderCompletionSchema if named else OrderSchema
    only = ("order", *PARAMETERS) if named else PARAMETERS
    return schema(zone=zone, max_lines=0, only=only, needs_address=False)
