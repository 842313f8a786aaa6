"""POST /v1/stock: counts of stock, and what came of them, in the platform's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Literal

import orjson
from marshmallow import Schema, ValidationError, fields, validates_schema

from shared.domain.order import MOST_QUANTITY
from shared.domain.outcome import Code, Fault, quoted, sentence
from shared.domain.reasons import FIELD_MISSING, NOT_ARRAY, NOT_OBJECT, SENT_TWICE
from shared.domain.stock_count import Raised, StockCount, StockSet
from shared.schemas.fields import Text, Told, Whole
from shared.schemas.order.parameters import NAME_CHARS
from shared.schemas.order.reading import faults_of
from shared.schemas.order.sent import Sent
from shared.schemas.outcome import fault_json

_MOST_OF_ROW = 5
"""Faults told of one row: it has four members, and any number that are none."""


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


def _name(text: str, *, required: bool = False) -> Text:
    return Text(most=NAME_CHARS, filled=True, nfc=True, required=required, metadata=_doc(text))


class CountSchema(Sent):
    """So many units of a product are in a warehouse, or have come to it: ``quantity`` or ``change``."""

    product = _name(
        "The item's EAN, UPC or full SKU; one that several items share is an error.", required=True
    )
    quantity = Whole(
        least=0, most=MOST_QUANTITY, metadata=_doc("Units that are there, those that are reserved included.")
    )
    change = Whole(
        least=-MOST_QUANTITY,
        most=MOST_QUANTITY,
        metadata=_doc("Instead of quantity: units that have come or, below 0, gone. Several add up."),
    )
    warehouse = _name("Else the one of all; else the first.")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def one_of_both(self, _: Any, original: Mapping[str, Any], **__: Any) -> None:
        """Either what is there, or what has come to it."""
        names = ("quantity", "change")
        sent = [name for name in names if not self.is_absent(name, original.get(name))]
        if not sent:
            told = Told(FIELD_MISSING, "is required, or change in its place")
            raise ValidationError({"quantity": [told]})
        if len(sent) > 1:
            raise ValidationError({"change": [Told(SENT_TWICE, "stands beside quantity; send one of them")]})


class CountsSchema(Sent):
    """The body of POST /v1/stock."""

    products = fields.List(
        fields.Nested(CountSchema), required=True, metadata=_doc("The counts; in any order.")
    )
    warehouse = _name("Of all counts that name none.")


class RaisedSchema(Schema):
    """A stock row that was set to what is reserved of it, because that is more than was counted."""

    pointer = fields.Function(
        lambda one: f"/products/{one.count.at}",
        metadata={"type": "string", "description": "Where the count stands in the body: a JSON pointer."},
    )
    product = fields.String(attribute="count.product", metadata=_doc("The product that was named."))
    warehouse = fields.String(
        attribute="count.warehouse",
        allow_none=True,
        metadata=_doc("The warehouse that was named; null: the first."),
    )
    quantity = fields.Integer(attribute="count.quantity", metadata=_doc("Its quantity, or its change."))
    physicalStock = fields.Integer(attribute="physical", metadata=_doc("What the shelf was set to."))


class StockSetSchema(Schema):
    """The answer to POST /v1/stock: ``no`` where a count was not taken, although the others were."""

    status = fields.String(metadata=_doc("ok, or no."))
    code = fields.Integer(metadata=_doc("-7; with no alone."))
    msg = fields.String(metadata=_doc("How many counts were not taken, and why not; with no alone."))
    updated = fields.Integer(metadata=_doc("Shelves that were changed."))
    unchanged = fields.Integer(metadata=_doc("Shelves that were right already."))
    errors = fields.Raw(
        metadata={
            "type": "array",
            "items": {"$ref": "#/components/schemas/Fault"},
            "description": "What is wrong with the counts that were not taken, by their place in the body; "
            "with no alone.",
        }
    )
    raised = fields.List(
        fields.Nested(RaisedSchema),
        metadata=_doc(
            "Counts below what is reserved: that was set, the least possible. No error; absent where there "
            "are none."
        ),
    )


@dataclass(frozen=True, slots=True)
class CountsRead:
    """The counts that can be read, and what is wrong with the others."""

    counts: Sequence[StockCount]
    faults: Sequence[Fault]


def read_counts(sent: Mapping[str, Any], *, strict: bool) -> CountsRead | list[Fault]:
    """Read the counts in a body that is a JSON object, or all that is wrong where the body itself is.

    ``strict`` makes each unknown member an error. No counts at all are no fault.
    """
    of_all, row_schema = _schemas(strict=strict)
    refused: list[Fault] = []
    values: dict[str, Any] = {}
    around = {name: value for name, value in sent.items() if name != "products"}
    try:
        values = of_all.load(around)
    except ValidationError as error:
        refused.extend(faults_of(error, around))
    rows = sent.get("products")
    if not isinstance(rows, list):
        return [*refused, _no_rows(rows)]
    read = _read_rows(rows, row_schema, values.get("warehouse"))
    return [*refused, *read.faults] if refused else read


def _no_rows(rows: Any) -> Fault:
    if rows is None:
        return Fault(FIELD_MISSING, "/products", "is required; send an array of counts")
    return Fault(NOT_ARRAY, "/products", f"{quoted(rows)} is not an array")


def _read_rows(rows: Sequence[Any], schema: CountSchema, warehouse: str | None) -> CountsRead:
    counts = []
    faults: list[Fault] = []
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            faults.append(Fault(NOT_OBJECT, f"/products/{at}", f"{quoted(row)} is not an object"))
            continue
        try:
            one = schema.load(row)
        except ValidationError as error:
            told = islice(faults_of(error, row), _MOST_OF_ROW)
            faults.extend(Fault(it.reason, f"/products/{at}{it.pointer}", it.msg, it.params) for it in told)
            continue
        change = one.get("change")
        units = one["quantity"] if change is None else change
        own = one.get("warehouse") or warehouse
        counts.append(StockCount(at, one["product"], units, own, is_change=change is not None))
    return CountsRead(counts, faults)


@cache
def _schemas(*, strict: bool) -> tuple[CountsSchema, CountSchema]:
    """Of the body without its rows, for one row at fault is no reason not to take another; and of a row."""
    unknown: Literal["raise", "exclude"] = "raise" if strict else "exclude"
    return CountsSchema(unknown=unknown, exclude=("products",)), CountSchema(unknown=unknown)


@cache
def _schema() -> StockSetSchema:
    return StockSetSchema()


def stock_set_json(done: StockSet, unread: Sequence[Fault] = ()) -> bytes:
    """Give what came of counts as JSON; ``unread`` are the faults of those that could not be read."""
    told: dict[str, Any] = {"status": "ok", "updated": done.changed, "unchanged": done.unchanged}
    faults = sorted([*unread, *done.faults], key=_row)
    if faults:
        told |= {"status": "no", "code": int(Code.GENERAL), "msg": _sentence(faults)}
        told["errors"] = [fault_json(fault) for fault in faults]
    raised: Sequence[Raised] = done.raised
    if raised:
        told["raised"] = raised
    return orjson.dumps(_schema().dump(told))


def _row(fault: Fault) -> int:
    return int(fault.pointer.split("/")[2])


def _sentence(faults: Sequence[Fault]) -> str:
    rows = len({_row(fault) for fault in faults})
    count = "1 count was" if rows == 1 else f"{rows} counts were"
    return f"{count} not taken, the others were: {sentence(faults)}."
