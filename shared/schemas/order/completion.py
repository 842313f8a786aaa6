"""What may be sent when a prepared order is completed: a part of an order's parameters."""

from __future__ import annotations

from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import ValidationError

from shared.domain.completion import Completion, Misread
from shared.domain.outcome import MOST_IGNORED, Fault
from shared.domain.reasons import NOT_OBJECT, NOT_READABLE, UNKNOWN_FIELD
from shared.schemas.exact_json import read_exactly
from shared.schemas.order.amounts import amount_fields, amounts_sent
from shared.schemas.order.declaration import OrderSchema, not_an_object
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


class CompletionReader:
    """Reads completions; ``strict`` makes each unknown member an error."""

    def __init__(self, *, zone: ZoneInfo, max_lines: int, strict: bool) -> None:
        self._strict = strict
        self._schema = completion_schema(zone=zone, max_lines=max_lines)
        self._known = known_members(self._schema)
        self._amounts = amount_fields(self._schema)

    def read(self, raw: bytes | msgspec.Raw) -> Completion | Misread:
        """Read one completion of JSON whose syntax has been checked."""
        try:
            sent = read_exactly(raw)
        except (ValueError, RecursionError) as error:
            return Misread((Fault(NOT_READABLE, "", f"the completion cannot be read: {error}"),))
        if not isinstance(sent, dict):
            return Misread((Fault(NOT_OBJECT, "", not_an_object(sent)),))
        unknown = unknown_members(sent, self._known)
        amounts = tuple(amounts_sent(sent, self._amounts))
        faults = [Fault(UNKNOWN_FIELD, at, UNKNOWN) for at in unknown] if self._strict else []
        try:
            values: dict[str, Any] = self._schema.load(sent)
        except ValidationError as error:
            return Misread((*faults, *faults_of(error, sent)), amounts)
        if faults:
            return Misread(tuple(faults), amounts)
        return Completion(
            payment=values.get("payment"),
            warehouse_group=values.get("warehouseGroup"),
            details={_COLUMNS[n]: values[n] for n in _COLUMNS if values.get(n) is not None},
            ignored=tuple(islice(unknown, MOST_IGNORED)),
        )


def completion_schema(*, zone: ZoneInfo, max_lines: int) -> OrderSchema:
    """The schema of a completion, for reading and for describing."""
    return OrderSchema(
        zone=zone,
        max_lines=max_lines,
        only=PARAMETERS,
        needs_address=False,
    )
