"""POST /v1/stock: counts of what is on the shelves, and what came of them, in the platform's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import orjson
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields

from shared.domain.order import MOST_QUANTITY
from shared.domain.outcome import Code, Fault, quoted
from shared.domain.reasons import WAREHOUSE_UNKNOWN
from shared.domain.stock_level import StockCount, StockSet
from shared.schemas.fields import Text, Whole
from shared.schemas.order import NAME_CHARS
from shared.schemas.reading import faults_of

_MOST_TOLD = 3


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class CountSchema(Schema):
    """So many units of a product are on a shelf."""

    product = Text(
        required=True, most=NAME_CHARS, filled=True, metadata=_doc("The item's EAN, UPC or full SKU.")
    )
    quantity = Whole(
        required=True, least=0, most=MOST_QUANTITY, metadata=_doc("Units, those that are reserved included.")
    )
    warehouse = Text(
        most=NAME_CHARS, filled=True, allow_none=True, metadata=_doc("Else the one of all; else the first.")
    )


class CountsSchema(Schema):
    """The body of POST /v1/stock."""

    products = fields.List(
        fields.Nested(CountSchema),
        required=True,
        error_messages=dict.fromkeys(("required", "null"), "is required; send an array of counts"),
        metadata=_doc("The counts; in any order."),
    )
    warehouse = Text(
        most=NAME_CHARS, filled=True, allow_none=True, metadata=_doc("Of all counts that name none.")
    )


class RaisedSchema(Schema):
    """A shelf that was set to what is reserved on it, because that is more than was counted."""

    product = fields.String(attribute="count.product", metadata=_doc("As sent."))
    warehouse = fields.String(attribute="count.warehouse", allow_none=True, metadata=_doc("As sent."))
    quantity = fields.Integer(attribute="count.quantity", metadata=_doc("As sent."))
    physicalStock = fields.Integer(attribute="physical", metadata=_doc("What it was set to."))


class NotSetSchema(Schema):
    """What was not set as asked; a list that would be empty is left out."""

    productsNotFound = fields.List(fields.String(), metadata=_doc("No item is named so."))
    productsContradictory = fields.List(
        fields.String(), metadata=_doc("Counted twice on one shelf, differently: left as it was.")
    )
    productsBelowAllocated = fields.List(
        fields.Nested(RaisedSchema), metadata=_doc("Set to what is reserved, the least possible.")
    )


class StockSetSchema(Schema):
    """The answer to POST /v1/stock: ``no`` with what was not set as asked, although the rest was set."""

    status = fields.String(metadata=_doc("ok, or no."))
    code = fields.Integer(metadata=_doc("-7; with no alone."))
    msg = fields.String(metadata=_doc("What was not set as asked; with no alone."))
    updated = fields.Integer(metadata=_doc("Shelves that were changed."))
    unchanged = fields.Integer(metadata=_doc("Shelves that were right already."))
    errors = fields.Nested(NotSetSchema, metadata=_doc("With no alone."))


def read_counts(sent: Any, *, strict: bool) -> tuple[StockCount, ...] | list[Fault]:
    """Read the counts in a body that is a JSON object, or all that is wrong with it.

    ``strict`` makes each unknown member an error. No counts at all are no fault.
    """
    try:
        values: dict[str, Any] = _counts(strict=strict).load(sent)
    except ValidationError as error:
        return list(faults_of(error, sent))
    of_all = values.get("warehouse")
    return tuple(
        StockCount(at, one["product"], one["quantity"], one.get("warehouse") or of_all)
        for at, one in enumerate(values["products"])
    )


@cache
def _counts(*, strict: bool) -> CountsSchema:
    schema = CountsSchema(unknown=RAISE if strict else EXCLUDE)
    products = schema.fields["products"]
    if isinstance(products, fields.List) and isinstance(products.inner, fields.Nested):
        products.inner.unknown = schema.unknown
    return schema


def unknown_warehouse_faults(counts: Sequence[StockCount], sent: Any, names: Sequence[str]) -> list[Fault]:
    """The faults of warehouses that there are not, each told where it stands; ``sent`` is the body."""
    if not names:
        return [
            Fault(WAREHOUSE_UNKNOWN, "/warehouse", "there is no warehouse yet; load a catalog that has one")
        ]
    faults = {}
    for count in counts:
        if count.warehouse in names:
            own = sent["products"][count.at].get("warehouse") is not None
            pointer = f"/products/{count.at}/warehouse" if own else "/warehouse"
            faults[pointer] = Fault(
                WAREHOUSE_UNKNOWN, pointer, f"no warehouse is named {quoted(count.warehouse)}"
            )
    return list(faults.values())


@cache
def _schema() -> StockSetSchema:
    return StockSetSchema()


def stock_set_json(done: StockSet) -> bytes:
    """Give what came of counts as JSON."""
    told: dict[str, Any] = {"status": "ok", "updated": done.changed, "unchanged": done.unchanged}
    errors = {
        "productsNotFound": _products(done.not_found),
        "productsContradictory": _products(done.contradictory),
        "productsBelowAllocated": list(done.raised),
    }
    if any(errors.values()):
        told |= {"status": "no", "code": int(Code.GENERAL), "msg": _sentence(done)}
        told["errors"] = {name: listed for name, listed in errors.items() if listed}
    return orjson.dumps(_schema().dump(told))


def _products(counts: Iterable[StockCount]) -> list[str]:
    return list(dict.fromkeys(count.product for count in counts))


def _sentence(done: StockSet) -> str:
    parts = (
        (_products(done.not_found), "no item is named {}"),
        (_products(done.contradictory), "there are different counts of {}, none of which was taken"),
        (
            _products(raised.count for raised in done.raised),
            "more is reserved than was counted of {}, so what is reserved was set",
        ),
    )
    told = "; ".join(text.format(_some(names)) for names, text in parts if names)
    return f"Not everything was set as asked, the rest was: {told}."


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(quoted(name) for name in names[:_MOST_TOLD])
    further = len(names) - _MOST_TOLD
    return f"{listed} and {further} more" if further > 0 else listed
