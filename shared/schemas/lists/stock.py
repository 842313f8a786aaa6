"""GET /v1/stock: what may be asked, and how it is answered, in the platform's words."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from marshmallow import Schema, fields

from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import WAREHOUSE_UNKNOWN
from shared.domain.stock_level import Edge, StockPage
from shared.schemas.fields import Moment, Text, Whole
from shared.schemas.job import Rfc3339
from shared.schemas.lists.cursors import Cursor, written
from shared.schemas.lists.orders import AS_OF, DEFAULT_LIMIT, bound
from shared.schemas.order.parameters import NAME_CHARS


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class StockCursor(Cursor):
    """Where a page of items begins."""

    pattern = re.compile(rb"([ab])([0-9]{1,18})")

    def place(self, found: re.Match[bytes]) -> Edge:
        """Give the edge."""
        return Edge(int(found[2]), backwards=found[1] == b"b")


def cursor_text(edge: Edge) -> str:
    """Write where a page begins."""
    return written(b"%b%d" % (b"b" if edge.backwards else b"a", edge.item_id))


def _name(text: str) -> Text:
    return Text(most=NAME_CHARS, filled=True, nfc=True, metadata=_doc(text))


class StockQuery(Schema):
    """The parameters of GET /v1/stock; an item is told of when it matches all of them."""

    stockItemId = Whole(least=1, most=MOST_NUMBER, metadata=_doc("The item of this id."))
    sku = _name("The item of this full SKU.")
    ean = _name("The item of this EAN; a UPC and the EAN of 13 digits that it is are one code.")
    upc = _name("The item of this UPC; likewise.")
    warehouse = _name(
        "Items that this warehouse has, or had, with what it has of them; one that there is not is 400."
    )
    modified = Moment(
        metadata=_doc(
            "Items of which the stock in any warehouse, or in the one asked for, has changed at this moment"
            " or later. A change shows once it is committed, up to half a minute after its moment: let the"
            " times that you ask for overlap."
        )
    )
    stock_modified = Moment(metadata=_doc("Another name of `modified`."))
    limit = Whole(least=1, most=DEFAULT_LIMIT, metadata=_doc("Items in the page; 100 unless told."))
    cursor = StockCursor(metadata=_doc("Where the page begins: from next or previous."))

    def __init__(self, *, zone: ZoneInfo, page_max: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone
        bound(self, "limit", page_max)
        self.fields["limit"].load_default = min(DEFAULT_LIMIT, page_max)


def warehouse_unknown(name: str) -> Fault:
    """The fault of asking for the stock of a warehouse that there is not."""
    return Fault(WAREHOUSE_UNKNOWN, "/warehouse", f"no warehouse is named {quoted(name)}")


class LevelsSchema(Schema):
    """Units, in one warehouse or in all."""

    physicalStock = fields.Integer(attribute="physical", metadata=_doc("On the shelf."))
    allocatedStock = fields.Integer(attribute="allocated", metadata=_doc("Of these, reserved for orders."))
    availableStock = fields.Integer(
        attribute="available",
        metadata=_doc("What an order could get: the others, less what its warehouse never sells."),
    )


class StockLevelSchema(LevelsSchema):
    """An item's stock in one warehouse."""

    name = fields.String(attribute="warehouse", metadata=_doc("The warehouse."))
    modified = Rfc3339(attribute="modified_at", metadata=_doc("When it changed last."))


class ItemStockSchema(LevelsSchema):
    """An item with its stock in all warehouses."""

    stockItemId = fields.Integer(attribute="id", metadata=_doc("The item's id: products[].id of an order."))
    sku = fields.String(metadata=_doc("The full SKU."))
    ean = fields.String(allow_none=True, metadata=_doc("EAN."))
    upc = fields.String(allow_none=True, metadata=_doc("UPC."))
    product = fields.String(metadata=_doc("The product's name."))
    variant = fields.String(metadata=_doc("Variant."))
    size = fields.String(metadata=_doc("Size."))
    brand = fields.String(metadata=_doc("Brand."))
    active = fields.Boolean(metadata=_doc("Whether it can be ordered."))
    backOrdered = fields.Integer(
        attribute="back_ordered",
        metadata=_doc(
            "Units that orders wait for. There is one number for the item: they wait for whichever of their"
            " warehouses has them first. It changes without a change of stock, and so is not polled for."
        ),
    )
    warehouses = fields.List(
        fields.Nested(StockLevelSchema), attribute="levels", metadata=_doc("By warehouse.")
    )


class StockListSchema(Schema):
    """A page of items with their stock, by id ascending."""

    status = fields.Constant("ok", metadata=_doc("ok"))
    products = fields.List(fields.Nested(ItemStockSchema), attribute="items", metadata=_doc("The items."))
    asOf = Rfc3339(metadata=_doc(AS_OF.format("modified")))
    previous = fields.String(allow_none=True, metadata=_doc("Where the page before is; null at the start."))
    next = fields.String(allow_none=True, metadata=_doc("Where the page after is; null at the end."))


@cache
def _schema() -> StockListSchema:
    return StockListSchema()


def stock_list_json(page: StockPage, *, as_of: datetime, previous: str | None, next_: str | None) -> bytes:
    """Give a page of stock as JSON."""
    told = {"items": page.items, "asOf": as_of, "previous": previous, "next": next_}
    return orjson.dumps(_schema().dump(told))
