"""A prepared order in the database: read under a lock, then completed, with further parts beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from shared.domain.catalog import CatalogIndex, Item
from shared.domain.decide import Numbered
from shared.domain.draft import Buyer, Draft, DraftLine
from shared.domain.order import Address, LineRequest, OrderRequest
from shared.domain.terms import Shipping, Terms
from shared.domain.vouchers import compared
from shared.persistence.core.copying import copy_rows
from shared.persistence.core.tables import allocations, api_keys, confirmations, orders, payments
from shared.persistence.orders import rows as order_rows

_LINES = text(
    "SELECT line, item_id, sku, quantity, back_ordered, unit_price, original_price FROM order_lines"
    " WHERE order_number = :number ORDER BY line"
)
# By job and position: that is how the constraint orders_one_per_key finds the parts of one order request.
_GROUP = text("SELECT number FROM orders WHERE job_id = :job_id AND position = :position ORDER BY part")
_KEEP_LINES = text(
    "UPDATE order_lines SET quantity = kept.quantity, back_ordered = kept.back_ordered"
    " FROM unnest(CAST(:lines AS integer[]), CAST(:quantities AS integer[]),"
    " CAST(:back_ordered AS integer[]))"
    " AS kept(line, quantity, back_ordered)"
    " WHERE order_number = :number AND order_lines.line = kept.line"
)
_DROP_LINES = text(
    "DELETE FROM order_lines WHERE order_number = :number AND line <> ALL(CAST(:lines AS integer[]))"
)
_COPY_LINES = text(
    "INSERT INTO order_lines (order_number, line, item_id, item_version, sku, quantity, back_ordered,"
    " unit_price, original_price, comment, item_text)"
    " SELECT moved.number, moved.line, item_id, item_version, sku, moved.quantity, moved.back_ordered,"
    " unit_price, original_price, comment, item_text"
    " FROM unnest(CAST(:numbers AS bigint[]), CAST(:lines AS integer[]), CAST(:quantities AS integer[]),"
    " CAST(:back_ordered AS integer[])) AS moved(number, line, quantity, back_ordered)"
    " JOIN order_lines ON order_lines.order_number = :number AND order_lines.line = moved.line"
)
_OWN = {
    "number": "further.number",
    "part": "further.part",
    "lines_total": "further.lines_total",
    "shipping_value": "further.shipping_value",
    "voucher_value": "further.voucher_value",
    "grand_total": "further.lines_total + further.shipping_value - further.voucher_value",
    "vouchers": "NULL",
}
_COLUMNS = [column.name for column in orders.columns]
# A further part is the first one's row with a number and money of its own, whatever columns there are.
_ADD_PARTS = text(
    f"INSERT INTO orders ({', '.join(_COLUMNS)})"  # noqa: S608 - names of our own columns
    f" SELECT {', '.join(_OWN.get(name, f'orders.{name}') for name in _COLUMNS)} FROM orders"
    " CROSS JOIN unnest(CAST(:numbers AS bigint[]), CAST(:parts AS smallint[]),"
    " CAST(:lines_totals AS numeric[]), CAST(:shipping_values AS numeric[]),"
    " CAST(:voucher_values AS numeric[]))"
    " AS further(number, part, lines_total, shipping_value, voucher_value)"
    " WHERE orders.number = :number"
)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order's row, locked until the transaction ends."""

    row: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Its number."""
        return int(self.row["number"])

    @property
    def prepared(self) -> bool:
        """Whether it waits to be completed."""
        return bool(self.row["state"] == "prepared")

    def is_within(self, market_ids: Collection[int] | None) -> bool:
        """Whether its market is one of these; None: every market."""
        return market_ids is None or self.row["market_id"] in market_ids


def lock_order(connection: Connection, number: int, client_id: int) -> StoredOrder | None:
    """The order of this number, if a key of this client made it; locked."""
    own_keys = select(api_keys.c.id).where(api_keys.c.client_id == client_id)
    query = (
        select(orders)
        .where(orders.c.number == number, orders.c.api_key_id.in_(own_keys))
        .with_for_update(key_share=True)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredOrder(dict(row))


def numbers_of_group(connection: Connection, stored: StoredOrder) -> tuple[int, ...]:
    """The numbers of all parts of the order request that an order came from."""
    names = {"job_id": stored.row["job_id"], "position": stored.row["position"]}
    return tuple(connection.execute(_GROUP, names).scalars())


def read_draft(connection: Connection, stored: StoredOrder, catalog: CatalogIndex, rule_id: int) -> Draft:
    """The draft that a prepared order was, with its prices, vouchers and shipping as they were agreed."""
    row = stored.row
    rows = connection.execute(_LINES, {"number": stored.number}).all()
    lines = tuple(
        DraftLine(
            line=line.line,
            request=LineRequest(line.quantity, sku=line.sku),
            item=None if line.item_id is None else Item(line.item_id, line.sku),
            sku=line.sku,
            unit_price=line.unit_price,
            original_price=line.original_price,
            # What forceCreate let in although it may not be sold was back-ordered at once.
            shippable=line.back_ordered == 0,
        )
        for line in rows
    )
    window = catalog.windows.get(compared(row["delivery_window"] or ""))
    return Draft(
        request=OrderRequest(
            lines=tuple(line.request for line in lines),
            order_number=stored.number,
            adjust_stock=row["adjust_stock"],
            voucher_value=row["voucher_value"],
        ),
        market=catalog.markets[row["market_id"]],
        pricelist=catalog.pricelists[row["pricelist_id"]],
        rule=catalog.rules[rule_id],
        invoice=_address(row["invoice_address"]),
        delivery=_address(row["delivery_address"]),
        lines=lines,
        buyer=Buyer(row["customer_id"], "", register=False),
        terms=Terms(window=window),
        shipping=Shipping(row["shipping_uri"], row["shipping_value"]),
    )


def _address(fields: Mapping[str, str]) -> Address:
    return Address(fields["country"], fields.get("email"), fields)


def complete(connection: Connection, stored: StoredOrder, numbered: Numbered) -> None:
    """Write what the prepared order has become: its own row changed, a new one for every further part."""
    draft, parts = numbered.placement.draft, numbered.placement.parts
    first = parts[0]
    connection.execute(
        update(orders)
        .where(orders.c.number == stored.number)
        .values(
            state="created",
            allocation_rule_id=draft.rule.id,
            lines_total=first.totals.lines,
            shipping_value=first.totals.shipping,
            voucher_value=first.totals.voucher,
            grand_total=first.totals.grand,
        )
    )
    kept = {pl.line.line: pl for pl in first.lines}
    lines = {
        "number": stored.number,
        "lines": list(kept),
        "quantities": [pl.quantity for pl in kept.values()],
        "back_ordered": [pl.back_ordered for pl in kept.values()],
    }
    _add_parts(connection, stored, numbered)
    connection.execute(_DROP_LINES, lines)
    connection.execute(_KEEP_LINES, lines)
    taken = (
        (number, reservation.line, reservation.item_id, reservation.warehouse_id, reservation.quantity)
        for number, part in zip(numbered.numbers, parts, strict=True)
        for reservation in part.reservations
    )
    copy_rows(connection, allocations, order_rows.ALLOCATIONS, taken)


def _add_parts(connection: Connection, stored: StoredOrder, numbered: Numbered) -> None:
    further = list(zip(numbered.numbers, numbered.placement.parts, strict=True))[1:]
    if not further:
        return
    sums = [part.totals for _, part in further]
    connection.execute(
        _ADD_PARTS,
        {
            "number": stored.number,
            "numbers": [number for number, _ in further],
            "parts": list(range(1, len(further) + 1)),
            "lines_totals": [one.lines for one in sums],
            "shipping_values": [one.shipping for one in sums],
            "voucher_values": [one.voucher for one in sums],
        },
    )
    moved = [(number, pl) for number, part in further for pl in part.lines]
    connection.execute(
        _COPY_LINES,
        {
            "number": stored.number,
            "numbers": [number for number, _ in moved],
            "lines": [pl.line.line for _, pl in moved],
            "quantities": [pl.quantity for _, pl in moved],
            "back_ordered": [pl.back_ordered for _, pl in moved],
        },
    )


def amend(connection: Connection, numbers: Collection[int], details: Mapping[str, str | datetime]) -> None:
    """Give all parts of an order these values, by column."""
    if details:
        connection.execute(update(orders).where(orders.c.number.in_(numbers)).values(**details))


def add_payment(connection: Connection, stored: StoredOrder, payment: Mapping[str, Any]) -> None:
    """Record a payment's details beside those that are there."""
    copy_rows(connection, payments, order_rows.PAYMENTS, order_rows.payment_rows(stored.number, payment))


def ask_for_confirmation(connection: Connection, stored: StoredOrder, *, default: bool) -> None:
    """Have the completed order confirmed by e-mail, if it or else the store says so."""
    if default if stored.row["send_email"] is None else stored.row["send_email"]:
        connection.execute(insert(confirmations).values(order_number=stored.number))
