"""Insertion of orders, in bulk: a fixed number of statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, text

from shared.persistence.core.copying import copy_rows, copy_text
from shared.persistence.core.tables import allocations, confirmations, order_lines, orders, payments
from shared.persistence.orders import rows as order_rows
from shared.persistence.orders.rows import Making, NewOrder

MOST_DRAWN = 10_000
"""Numbers drawn at once while stepping around explicit ones."""

# A subquery per number, and no anti-join: with the statistics of a table that grows fast, PostgreSQL would
# read all of its orders to find that none has these numbers.
_DRAW = """
    SELECT array_agg(n ORDER BY n)
    FROM (SELECT nextval('{}') AS n FROM generate_series(1, :count)) AS drawn
    WHERE n <> ALL(CAST(:claimed AS bigint[])) AND (SELECT true FROM orders WHERE number = n) IS NULL
    AND (SELECT true FROM requested_numbers WHERE number = n LIMIT 1) IS NULL
"""
_DRAW_REAL = text(_DRAW.format("order_number_seq"))
# Beyond any number that an order can have: what is taken back leaves no gap, and nobody waits for it.
_DRAW_DRY = text(_DRAW.format("dry_run_number_seq"))
_TAKEN = text("SELECT number, market_id FROM orders WHERE number = ANY(CAST(:numbers AS bigint[]))")


def taken_numbers(connection: Connection, numbers: Collection[int]) -> dict[int, int]:
    """Which of these order numbers exist, each with the id of its order's market."""
    if not numbers:
        return {}
    rows = connection.execute(_TAKEN, {"numbers": list(numbers)})
    return {row.number: row.market_id for row in rows}


def draw_numbers(
    connection: Connection, count: int, claimed: Collection[int], *, dry_run: bool = False
) -> Iterator[int]:
    """``count`` automatic order numbers, ascending.

    They step around those that exist, are ``claimed``, or are asked for by batches that are undecided. Those
    of a dry run are none that any other order has or will have.
    """
    query = _DRAW_DRY if dry_run else _DRAW_REAL
    numbers: list[int] = []
    draw = count
    while len(numbers) < count:
        drawn = connection.execute(query, {"count": draw, "claimed": list(claimed)})
        # None: others have all of them.
        numbers += drawn.scalar() or []
        # In the middle of many explicit numbers, stride on.
        draw = min(2 * draw, MOST_DRAWN)
    return iter(numbers[:count])


def write_orders(connection: Connection, making: Making, new_orders: Sequence[NewOrder]) -> None:
    """Insert the orders and what belongs to them but their allocations; a statement per table with rows."""
    copy_text(connection, orders, order_rows.ORDERS, order_rows.of_orders(making, new_orders))
    copy_text(connection, order_lines, order_rows.LINES, order_rows.of_lines(new_orders))
    copy_rows(connection, payments, order_rows.PAYMENTS, order_rows.of_payments(new_orders))
    copy_rows(connection, confirmations, ("order_number",), order_rows.of_confirmations(making, new_orders))


def write_allocations(connection: Connection, new_orders: Sequence[NewOrder]) -> None:
    """Insert what the lines of orders that are written have reserved."""
    copy_text(connection, allocations, order_rows.ALLOCATIONS, order_rows.of_allocations(new_orders))
