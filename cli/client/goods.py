"""Orders and stock as a client reads them from the server, and as tables for people."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from shared.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLACES: Final = ("cursor", "offset")
"""The parameters by which a page says where it begins."""


class OrderedLine(msgspec.Struct, frozen=True, rename="camel"):
    """A line of an order, with what was sold by the names of its day."""

    qty: int
    sku: str
    price: Decimal
    back_ordered: int = 0
    name: str | None = None
    variant: str | None = None
    size: str | None = None
    brand: str | None = None
    warehouses: list[dict[str, str | int]] = []

    @property
    def title(self) -> str:
        """What it is called in one line."""
        name = " ".join(filter(None, (self.brand, self.name)))
        return ", ".join(filter(None, (name, self.variant, self.size)))

    @property
    def from_where(self) -> str:
        """The warehouses that have units for it, and how many wait."""
        places = [f"{one['itemQty']} {one['name']}" for one in self.warehouses]
        return ", ".join([*places, *([f"{self.back_ordered} back-ordered"] if self.back_ordered else [])])


class OrderReport(msgspec.Struct, frozen=True, rename="camel"):
    """An order as ``GET /v1/orders`` tells it, as far as people look at it here."""

    order_id: int
    state: str
    created_at: str
    order_date: str
    market: str
    order_currency: str
    total_items_price: Decimal
    shipping_value: Decimal
    voucher_value: Decimal
    grand_total_value: Decimal
    job_id: str
    batch_key: str
    siblings: list[int] = []
    billing_name: str | None = None
    billing_email: str | None = None
    delivery_name: str | None = None
    delivery_city: str | None = None
    delivery_country: str | None = None
    warehouse_group: str | None = None
    shipping_list: str | None = None
    po_number: str | None = None
    comment: str | None = None
    products: list[OrderedLine] = []

    @property
    def customer(self) -> str:
        """Who pays: by name, else by e-mail."""
        return self.billing_name or self.billing_email or ""


class OrdersReport(msgspec.Struct, frozen=True):
    """A page of orders, and where the next one is."""

    orders: list[OrderReport]
    next: str | None = None


class WarehouseStockReport(msgspec.Struct, frozen=True, rename="camel"):
    """What one warehouse has of an item."""

    name: str
    physical_stock: int
    allocated_stock: int
    available_stock: int


class ItemStockReport(msgspec.Struct, frozen=True, rename="camel"):
    """An item with what each warehouse has of it."""

    sku: str
    product: str = ""
    back_ordered: int = 0
    warehouses: list[WarehouseStockReport] = []


class StockReport(msgspec.Struct, frozen=True):
    """A page of items with their stock, and where the next one is."""

    products: list[ItemStockReport]
    next: str | None = None


class CountFault(msgspec.Struct, frozen=True):
    """Why a count was not taken, and where it stands in what was sent."""

    pointer: str
    msg: str


class RaisedCount(msgspec.Struct, frozen=True, rename="camel"):
    """A count below what orders have taken, and what was set in its place."""

    product: str
    physical_stock: int
    warehouse: str | None = None


class CountsReport(msgspec.Struct, frozen=True):
    """What came of counts."""

    status: str
    updated: int
    unchanged: int
    errors: list[CountFault] = []
    raised: list[RaisedCount] = []


def where_to_go_on(next_path: str | None) -> str | None:
    """The option that asks for the page at ``next_path``; None where there is none."""
    if next_path is None:
        return None
    asked = parse_qs(urlsplit(next_path).query)
    return next((f"--{name} {asked[name][0]}" for name in _PLACES if name in asked), None)


def orders_table(orders: Iterable[OrderReport]) -> Table:
    """Orders, a line each."""
    table = Table("order", "state", "made", "customer", "market", box=box.SIMPLE_HEAD)
    table.add_column("lines", justify="right")
    table.add_column("total", justify="right")
    table.add_column("PO number")
    for one in orders:
        table.add_row(*_texts(*order_cells(one)))
    return table


def order_cells(order: OrderReport) -> list[str]:
    """An order in one line."""
    total = f"{order.grand_total_value} {order.order_currency}"
    who = (order.customer, order.market, str(len(order.products)), total, order.po_number or "")
    return [printable(cell) for cell in (str(order.order_id), order.state, order.created_at, *who)]


def order_table(order: OrderReport) -> Table:
    """What there is to say of an order beside its lines."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in _order_lines(order):
        if value:
            table.add_row(name, *_texts(printable(value)))
    return table


def _order_lines(order: OrderReport) -> Iterable[tuple[str, str]]:
    currency = order.order_currency
    place = filter(None, (order.delivery_name, order.delivery_city, order.delivery_country))
    yield from (
        ("order", str(order.order_id)),
        ("state", order.state.replace("_", " ")),
        ("made", order.created_at),
        ("ordered", order.order_date),
        ("customer", " ".join(filter(None, (order.billing_name, order.billing_email)))),
        ("delivered to", ", ".join(place)),
        ("market", order.market),
        ("warehouses", order.warehouse_group or ""),
        ("other parts", ", ".join(map(str, order.siblings))),
        ("lines", f"{order.total_items_price} {currency}"),
        ("shipping", f"{order.shipping_value} {currency} {order.shipping_list or ''}".rstrip()),
        ("vouchers", f"-{order.voucher_value} {currency}" if order.voucher_value else ""),
        ("total", f"{order.grand_total_value} {currency}"),
        ("PO number", order.po_number or ""),
        ("comment", order.comment or ""),
        ("job", order.job_id),
        ("key", order.batch_key),
    )


def lines_table(lines: Iterable[OrderedLine]) -> Table:
    """The lines of an order."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("qty", justify="right")
    table.add_column("SKU", overflow="fold")
    table.add_column("product", overflow="fold")
    table.add_column("price", justify="right")
    table.add_column("from", overflow="fold")
    for one in lines:
        cells = (str(one.qty), one.sku, one.title, str(one.price), one.from_where)
        table.add_row(*_texts(*map(printable, cells)))
    return table


def stock_table(items: Iterable[ItemStockReport]) -> Table:
    """Items, a line for each warehouse that has any; what waits for an item stands on its first."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("SKU", "product", "warehouse"):
        table.add_column(name, overflow="fold")
    for name in ("physical", "allocated", "available", "back-ordered"):
        table.add_column(name, justify="right")
    for item in items:
        waiting = str(item.back_ordered or "")
        named = (item.sku, item.product)
        if not item.warehouses:
            table.add_row(*_texts(*map(printable, named)), "", "", "", "", waiting)
        for at, there in enumerate(item.warehouses):
            units = (there.physical_stock, there.allocated_stock, there.available_stock)
            names = (*(named if at == 0 else ("", "")), there.name)
            table.add_row(*_texts(*map(printable, names)), *map(str, units), waiting if at == 0 else "")
    return table


def faults_table(faults: Iterable[CountFault]) -> Table:
    """Counts that were not taken, and why not."""
    table = Table("where", box=box.SIMPLE_HEAD)
    table.add_column("why it was not taken", overflow="fold")
    for one in faults:
        table.add_row(*_texts(printable(one.pointer), printable(one.msg)))
    return table


def _texts(*cells: str) -> Sequence[Text]:
    # As text: what somebody wrote cannot style the terminal.
    return [Text(cell) for cell in cells]
