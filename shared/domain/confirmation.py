"""The content of a confirmation: one order request, put together again from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.mail_text import many_lines, one_line, shortened
from shared.domain.pricing import ZERO

MOST_LINES_SHOWN = 200
MOST_TEXT = 500
"""Of an order's lines, and characters of each text in them: so a mail stays one that is taken."""


@dataclass(frozen=True, slots=True)
class ConfirmedLine:
    """One line as it is printed; ``sku`` and ``title`` with what itemText puts in their place."""

    sku: str
    title: str
    quantity: int
    back_ordered: int
    unit_price: Decimal
    original_price: Decimal
    comment: str

    @property
    def total(self) -> Decimal:
        """What the line comes to."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A completed order request as its customer is told of it: all parts of a split order in one."""

    numbers: tuple[int, ...]
    email: str
    ordered_at: datetime
    currency: str
    lines: tuple[ConfirmedLine, ...]
    shipping_name: str
    shipping_value: Decimal
    voucher_value: Decimal
    grand_total: Decimal
    invoice: Mapping[str, str]
    delivery: Mapping[str, str]
    po_number: str
    comment: str

    @property
    def lines_total(self) -> Decimal:
        """What the lines come to."""
        return sum((line.total for line in self.lines), ZERO)

    @property
    def lines_shown(self) -> tuple[ConfirmedLine, ...]:
        """The first of them: as many as are printed."""
        return self.lines[:MOST_LINES_SHOWN]

    @property
    def lines_more(self) -> int:
        """How many are not printed."""
        return len(self.lines) - len(self.lines_shown)


@dataclass(frozen=True, slots=True)
class SoldLine:
    """So much of a line as one part of an order has, and what its item was called when it was sold."""

    line: int
    sku: str
    quantity: int
    back_ordered: int
    unit_price: Decimal
    original_price: Decimal
    comment: str | None
    item_text: Mapping[str, Any] | None
    item: Mapping[str, str]
    """``brand``, ``product``, ``variant``, ``size``; nothing when the item is unknown."""


def confirmed_lines(sold: Iterable[SoldLine]) -> tuple[ConfirmedLine, ...]:
    """The lines of an order request, in its order, put together again from its parts."""
    by_line: dict[int, list[SoldLine]] = {}
    for one in sold:
        by_line.setdefault(one.line, []).append(one)
    return tuple(_together(by_line[line]) for line in sorted(by_line))


def _together(shares: list[SoldLine]) -> ConfirmedLine:
    first = shares[0]
    texts = first.item_text or {}
    return ConfirmedLine(
        sku=shortened(one_line(texts.get("sku") or first.sku), MOST_TEXT),
        title=shortened(_title(texts, first.item), MOST_TEXT),
        quantity=sum(share.quantity for share in shares),
        back_ordered=sum(share.back_ordered for share in shares),
        unit_price=first.unit_price,
        original_price=first.original_price,
        comment=shortened(many_lines(first.comment or ""), MOST_TEXT),
    )


def _title(texts: Mapping[str, Any], item: Mapping[str, str]) -> str:
    printed = {
        name: texts.get(name) or item.get(name) or "" for name in ("brand", "product", "variant", "size")
    }
    # The size as it is called where the order goes.
    printed["size"] = (texts.get("localizedProdSize") or {}).get("localizedSize") or printed["size"]
    name = " ".join(filter(None, (one_line(printed["brand"]), one_line(printed["product"]))))
    return ", ".join(filter(None, (name, one_line(printed["variant"]), one_line(printed["size"]))))


def address_lines(fields: Mapping[str, str]) -> tuple[str, ...]:
    """An address as it is written on a parcel, a line each; lines with nothing in them are left out."""

    def joined(*names: str) -> str:
        return " ".join(filter(None, (one_line(fields.get(name) or "") for name in names)))

    lines = (
        joined("firstName", "lastName"),
        joined("attn"),
        joined("address"),
        joined("coaddress"),
        joined("zipcode", "city"),
        joined("state"),
        joined("country"),
    )
    return tuple(filter(None, lines))
