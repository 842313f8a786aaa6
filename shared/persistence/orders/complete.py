"""Completed orders in the database, in bulk: a fixed number of statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, text

from shared.domain.catalog import Item
from shared.domain.completion import OrderChange, StoredOrder
from shared.domain.draft import DraftLine
from shared.domain.order import LineRequest
from shared.domain.pricing import Totals
from shared.persistence.core.arrays import number_array
from shared.persistence.core.copying import copy_rows, copy_text
from shared.persistence.core.tables import allocations, confirmations, order_lines, orders
from shared.persistence.orders import rows as order_rows
from shared.persistence.orders.lock import LockedOrder
from shared.persistence.orders.payments import record_payments

# Order by order (OFFSET 0): with the statistics of a table that grows fast, all of it would be read.
_LINES = text("""
    SELECT order_number, line, item_id, sku, quantity, back_ordered, unit_price, original_price
    FROM unnest(CAST(:numbers AS bigint[])) AS wanted (number)
    CROSS JOIN LATERAL (SELECT * FROM order_lines WHERE order_number = wanted.number OFFSET 0) AS lines
    ORDER BY order_number, line
""")
_COMPLETE = text("""
    UPDATE orders
    SET state = 'created', allocation_rule_id = done.rule_id, lines_total = done.lines_total,
        shipping_value = done.shipping_value, voucher_value = done.voucher_value,
        grand_total = done.lines_total + done.shipping_value - done.voucher_value
    FROM unnest(
        CAST(:numbers AS bigint[]), CAST(:rule_ids AS integer[]), CAST(:lines_totals AS numeric[]),
        CAST(:shipping_values AS numeric[]), CAST(:voucher_values AS numeric[])
    ) AS done (number, rule_id, lines_total, shipping_value, voucher_value)
    WHERE orders.number = done.number
""")
_AMEND = text("""
    UPDATE orders
    SET buyer_name = COALESCE(said.buyer_name, orders.buyer_name),
        internal_comment = COALESCE(said.internal_comment, orders.internal_comment),
        comment = COALESCE(said.comment, orders.comment),
        po_number = COALESCE(said.po_number, orders.po_number),
        order_date = COALESCE(said.order_date, orders.order_date),
        delivery_date = COALESCE(said.delivery_date, orders.delivery_date),
        cancel_date = COALESCE(said.cancel_date, orders.cancel_date)
    FROM unnest(
        CAST(:numbers AS bigint[]), CAST(:buyer_name AS text[]), CAST(:internal_comment AS text[]),
        CAST(:comment AS text[]), CAST(:po_number AS text[]), CAST(:order_date AS timestamptz[]),
        CAST(:delivery_date AS timestamptz[]), CAST(:cancel_date AS timestamptz[])
    ) AS said (number, buyer_name, internal_comment, comment, po_number, order_date, delivery_date,
               cancel_date)
    WHERE orders.number = said.number
""")
_DETAILS: Final = (
    "buyer_name",
    "internal_comment",
    "comment",
    "po_number",
    "order_date",
    "delivery_date",
    "cancel_date",
)
# A further part is the first one's row with a number and money of its own, whatever columns there are.
_OWN: Final = {
    "number": "further.number",
    "part": "further.part",
    "lines_total": "further.lines_total",
    "shipping_value": "further.shipping_value",
    "voucher_value": "further.voucher_value",
    "grand_total": "further.lines_total + further.shipping_value - further.voucher_value",
    "vouchers": "NULL",
}
_COLUMNS = [column.name for column in orders.columns]
_ADD_PARTS = text(f"""
    INSERT INTO orders ({", ".join(_COLUMNS)})
    SELECT {", ".join(_OWN.get(name, f"orders.{name}") for name in _COLUMNS)}
    FROM unnest(
        CAST(:firsts AS bigint[]), CAST(:numbers AS bigint[]), CAST(:parts AS smallint[]),
        CAST(:lines_totals AS numeric[]), CAST(:shipping_values AS numeric[]),
        CAST(:voucher_values AS numeric[])
    ) AS further (first, number, part, lines_total, shipping_value, voucher_value)
    JOIN orders ON orders.number = further.first
""")  # noqa: S608 - names of our own columns
# And its lines are the first one's, but for how many units they have.
_OWN_OF_LINE: Final = {
    "order_number": "moved.number",
    "quantity": "moved.quantity",
    "back_ordered": "moved.back_ordered",
}
_LINE_COLUMNS = [column.name for column in order_lines.columns if column.name != "id"]
_MOVED: Final = """
    unnest(
        CAST(:firsts AS bigint[]), CAST(:numbers AS bigint[]), CAST(:lines AS integer[]),
        CAST(:quantities AS integer[]), CAST(:back_ordered AS integer[])
    ) AS moved (first, number, line, quantity, back_ordered)
"""
_COPY_LINES = text(f"""
    INSERT INTO order_lines ({", ".join(_LINE_COLUMNS)})
    SELECT {", ".join(_OWN_OF_LINE.get(name, f"order_lines.{name}") for name in _LINE_COLUMNS)}
    FROM {_MOVED}
    JOIN order_lines ON order_lines.order_number = moved.first AND order_lines.line = moved.line
""")  # noqa: S608 - names of our own columns
_KEEP_LINES = text(f"""
    UPDATE order_lines SET quantity = moved.quantity, back_ordered = moved.back_ordered
    FROM {_MOVED} WHERE order_lines.order_number = moved.first AND order_lines.line = moved.line
""")  # noqa: S608 - our own text
_DROP_LINES = text("""
    DELETE FROM order_lines
    USING unnest(CAST(:numbers AS bigint[]), CAST(:lines AS integer[])) AS gone (number, line)
    WHERE order_lines.order_number = gone.number AND order_lines.line = gone.line
""")


def stored_orders(connection: Connection, locked: Mapping[int, LockedOrder]) -> dict[int, StoredOrder]:
    """The orders as they stand, by the number of each of their parts; those that are prepared have lines."""
    firsts = {order.first.number: order for order in locked.values()}
    lines = _lines(connection, [n for n, order in firsts.items() if order.first.state == "prepared"])
    stored = {number: _stored(order, lines.get(number, ())) for number, order in firsts.items()}
    return {number: stored[order.first.number] for number, order in locked.items()}


def _stored(order: LockedOrder, lines: tuple[DraftLine, ...]) -> StoredOrder:
    row = order.first
    return StoredOrder(
        number=row.number,
        numbers=tuple(part.number for part in order.parts),
        prepared=row.state == "prepared",
        cancelled=all(part.state == "cancelled" for part in order.parts),
        market_id=row.market_id,
        currency=row.currency,
        rule_id=row.allocation_rule_id,
        totals=Totals(row.lines_total, row.shipping_value, row.voucher_value),
        adjust_stock=row.adjust_stock,
        delivery_window=row.delivery_window,
        send_email=row.send_email,
        lines=lines,
    )


def _lines(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[DraftLine, ...]]:
    if not numbers:
        return {}
    rows = connection.execute(_LINES, {"numbers": number_array(numbers)})
    return {number: tuple(map(_line, of)) for number, of in groupby(rows, key=itemgetter(0))}


def _line(row: Any) -> DraftLine:
    _, line, item_id, sku, quantity, back_ordered, unit_price, original_price = row
    return DraftLine(
        line=line,
        request=LineRequest(quantity, sku=sku),
        item=None if item_id is None else Item(item_id, sku),
        sku=sku,
        unit_price=unit_price,
        original_price=original_price,
        # What forceCreate let in although it may not be sold was back-ordered at once.
        shippable=back_ordered == 0,
    )


def write_completions(connection: Connection, changes: Sequence[OrderChange], *, confirm: bool) -> None:
    """Write what completions have made of locked orders, all but the stock that they take.

    ``confirm``: whether an order is confirmed by e-mail that says nothing of it.
    """
    completed = [change for change in changes if change.parts]
    _complete(connection, completed)
    _amend(connection, [change for change in changes if change.details])
    _add_parts(connection, [change for change in completed if len(change.parts) > 1])
    _settle_lines(connection, completed)
    copy_text(connection, allocations, order_rows.ALLOCATIONS, list(_allocations(completed)))
    record_payments(connection, [(one.order.number, payment) for one in changes for payment in one.payments])
    wanted = [
        (one.order.number,)
        for one in completed
        if (confirm if one.order.send_email is None else one.order.send_email)
    ]
    copy_rows(connection, confirmations, ("order_number",), wanted)


def _complete(connection: Connection, completed: Sequence[OrderChange]) -> None:
    if not completed:
        return
    sums = [change.parts[0].totals for change in completed]
    connection.execute(
        _COMPLETE,
        {
            "numbers": number_array(change.order.number for change in completed),
            "rule_ids": number_array(change.rule_id for change in completed),
            **_money(sums),
        },
    )


def _money(sums: Sequence[Totals]) -> dict[str, str]:
    return {
        "lines_totals": number_array(one.lines for one in sums),
        "shipping_values": number_array(one.shipping for one in sums),
        "voucher_values": number_array(one.voucher for one in sums),
    }


def _amend(connection: Connection, amended: Sequence[OrderChange]) -> None:
    """Give all parts that are there the new details; further ones are made from the first."""
    if not amended:
        return
    rows = [(number, change.details) for change in amended for number in change.order.numbers]
    columns: dict[str, Any] = {name: [details.get(name) for _, details in rows] for name in _DETAILS}
    connection.execute(_AMEND, {"numbers": number_array(number for number, _ in rows), **columns})


def _add_parts(connection: Connection, split: Sequence[OrderChange]) -> None:
    further = [
        (change.order.number, number, place, part.totals)
        for change in split
        for place, (number, part) in enumerate(zip(change.numbers, change.parts, strict=True))
        if place
    ]
    if further:
        connection.execute(
            _ADD_PARTS,
            {
                "firsts": number_array(first for first, *_ in further),
                "numbers": number_array(number for _, number, *_ in further),
                "parts": number_array(place for _, _, place, _ in further),
                **_money([totals for *_, totals in further]),
            },
        )


_Moved = tuple[int, int, int, int, int]


def _settle_lines(connection: Connection, completed: Sequence[OrderChange]) -> None:
    """Move lines to further parts, and give those that stay what they have now; most stay as they are."""
    moved: list[_Moved] = []
    kept: list[_Moved] = []
    gone: list[tuple[int, int]] = []
    for change in completed:
        first, (part, *further) = change.order.number, change.parts
        for number, other in zip(change.numbers[1:], further, strict=True):
            moved += [(first, number, pl.line.line, pl.quantity, pl.back_ordered) for pl in other.lines]
        kept += [
            (first, first, pl.line.line, pl.quantity, pl.back_ordered)
            for pl in part.lines
            if pl.quantity != pl.line.request.quantity or (pl.back_ordered > 0 and pl.line.shippable)
        ]
        if further:
            stays = {pl.line.line for pl in part.lines}
            gone += [(first, line.line) for line in change.order.lines if line.line not in stays]
    for statement, lines in ((_COPY_LINES, moved), (_KEEP_LINES, kept)):
        if lines:
            connection.execute(statement, _moves(lines))
    if gone:
        numbers, places = zip(*gone, strict=True)
        connection.execute(_DROP_LINES, {"numbers": number_array(numbers), "lines": number_array(places)})


def _moves(lines: Sequence[_Moved]) -> dict[str, str]:
    names = ("firsts", "numbers", "lines", "quantities", "back_ordered")
    return dict(zip(names, map(number_array, zip(*lines, strict=True)), strict=True))


def _allocations(completed: Sequence[OrderChange]) -> Iterator[str]:
    for change in completed:
        for number, part in zip(change.numbers, change.parts, strict=True):
            for one in part.reservations:
                yield f"{number}\t{one.line}\t{one.item_id}\t{one.warehouse_id}\t{one.quantity}"
