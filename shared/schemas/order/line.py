"""The parameters of an order's line (contract §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import fields

from shared.domain.order import MOST_NUMBER, MOST_QUANTITY
from shared.domain.reasons import ITEM_NOT_NAMED
from shared.schemas.fields import Amount, Text, Told, Whole
from shared.schemas.order.parameters import COMMENT_CHARS, described, name_text, short_text
from shared.schemas.order.sent import Sent, WrongTogether

_ITEM_NAMES = ("id", "ean", "upc", "sku")


def _size() -> fields.Nested:
    doc = described("The size as it is called locally.")
    return fields.Nested(LocalizedSizeSchema, allow_none=True, metadata=doc)


class LocalizedSizeSchema(Sent):
    """A size as it is called where the order goes."""

    localizedSize = short_text("The size's local name.")
    localizationDefinitionName = short_text("The name of the sizing standard.")


class ItemTextSchema(Sent):
    """What is printed in the item's place."""

    sku = short_text("Printed SKU.")
    brand = short_text("Printed brand.")
    product = short_text("Printed product.")
    variant = short_text("Printed variant.")
    size = short_text("Printed size.")
    localizedProdSize = _size()


class LineSchema(Sent):
    """One line of an order."""

    qty = Whole(required=True, least=1, most=MOST_QUANTITY, metadata=described("How many."))
    id = Whole(least=1, most=MOST_NUMBER, allow_none=True, metadata=described("The item's id."))
    ean = name_text("The item's EAN.")
    upc = name_text("The item's UPC.")
    sku = name_text("The size SKU, or product, variant and size SKU run together.")
    unitPrice = Amount(allow_none=True, metadata=described("Price of one; else the pricelist's."))
    originalPrice = Amount(
        allow_none=True, metadata=described("Price before discount; else the pricelist's.")
    )
    comment = Text(most=COMMENT_CHARS, allow_none=True, metadata=described("A remark on the line."))
    itemText = fields.Nested(
        ItemTextSchema, allow_none=True, metadata=described("Overrides what is printed.")
    )
    localizedProdSize = _size()

    names = frozenset(_ITEM_NAMES)

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether no item is named."""
        return not any(name in values for name in _ITEM_NAMES)

    def wrong_together(self, _values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """One of id, ean, upc, sku."""
        if sent == [] or (
            isinstance(sent, dict) and all(sent.get(name) in (None, "") for name in _ITEM_NAMES)
        ):
            yield (), Told(ITEM_NOT_NAMED, "names no item; send id, ean, upc or sku")
