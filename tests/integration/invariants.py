"""What must hold in the database whatever has happened (CONTRACT 6, "Invariants, always"), looked up in SQL.

``violated(engine)`` is empty, or says in words what is wrong.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_QUERIES = {
    "a place's allocated is not the sum of its allocations": """
        SELECT item_id, warehouse_id, allocated, coalesce(taken, 0)
        FROM stock LEFT JOIN (
            SELECT item_id, warehouse_id, sum(quantity) AS taken FROM allocations GROUP BY 1, 2
        ) AS sums USING (item_id, warehouse_id)
        WHERE allocated <> coalesce(taken, 0)
    """,
    "a place is oversold, or has less than nothing allocated": """
        SELECT item_id, warehouse_id, allocated, physical FROM stock
        WHERE allocated < 0 OR allocated > physical
    """,
    "an allocation is of another item than its line": """
        SELECT order_number, line FROM allocations JOIN order_lines USING (order_number, line)
        WHERE allocations.item_id IS DISTINCT FROM order_lines.item_id
    """,
    "a line has taken something else than what it does not back-order": """
        SELECT number, line, quantity, back_ordered, coalesce(taken, 0)
        FROM orders
        JOIN order_lines ON order_number = number
        LEFT JOIN (
            SELECT order_number, line, sum(quantity) AS taken FROM allocations GROUP BY 1, 2
        ) AS sums USING (order_number, line)
        LEFT JOIN delivery_windows ON delivery_windows.name = delivery_window
        WHERE coalesce(taken, 0) <> CASE
            WHEN state = 'created' AND adjust_stock AND NOT coalesce(preorder, false)
            THEN quantity - back_ordered ELSE 0 END
    """,
    "an order's lines do not come to its total": """
        SELECT number, lines_total, sum(unit_price * quantity)
        FROM orders JOIN order_lines ON order_number = number
        GROUP BY number HAVING lines_total <> sum(unit_price * quantity)
    """,
    "an order has no lines": """
        SELECT number FROM orders WHERE NOT EXISTS (SELECT FROM order_lines WHERE order_number = number)
    """,
    "shipping is charged with another part than the first": """
        SELECT number FROM orders WHERE part > 0 AND shipping_value <> 0
    """,
    "the parts of an order request do not count from 0, or name another first number": """
        SELECT job_id, position, array_agg(part ORDER BY part) FROM orders
        GROUP BY job_id, position
        HAVING min(part) <> 0 OR max(part) <> count(*) - 1 OR count(DISTINCT part) <> count(*)
            OR min(first_number) <> max(first_number)
            OR min(first_number) <> min(number) FILTER (WHERE part = 0)
    """,
    "an order's customer is registered twice": """
        SELECT lower(email), count(*) FROM customers WHERE registered_email IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1
    """,
    "a voucher was used more often than it may be": """
        SELECT id, uses, used FROM vouchers WHERE used > uses
    """,
}


_CLOSED = text(
    "SELECT slices.id, form, body, outcomes, order_count, ok_count, codes FROM slices"
    " JOIN jobs ON jobs.id = job_id WHERE closed_at IS NOT NULL ORDER BY slices.id"
)
_WAITING_UNFORCED = text(
    "SELECT number FROM orders JOIN order_lines ON order_number = number"
    " WHERE back_ordered > 0 AND NOT force_create"
)


def violated(engine: Engine) -> list[str]:
    """What does not hold, in words and with the rows at fault; nothing where all is well."""
    with engine.connect() as connection:
        found = [
            f"{what}: {[tuple(row) for row in rows[:5]]}"
            for what, query in _QUERIES.items()
            if (rows := connection.execute(text(query)).all())
        ]
        return [*found, *_of_outcomes(connection)]


def _of_outcomes(connection: Connection) -> Iterator[str]:
    """Outcomes against orders: each number once, each order named, nothing back-ordered unasked."""
    told: Counter[int] = Counter()
    completed: set[int] = set()
    for row in connection.execute(_CLOSED):
        outcomes: dict[str, dict[str, Any]] = json.loads(row.outcomes)
        yield from _of_slice(row, outcomes)
        numbers = {
            number
            for one in outcomes.values()
            if one["status"] == "ok"
            for number in one.get("orders", [one.get("order")])
        }
        if row.form == "completion":
            # It names the prepared order again; that is no second order.
            completed |= numbers
            numbers -= told.keys()
        told.update(numbers)
    there = set(connection.execute(text("SELECT number FROM orders")).scalars())
    waiting = set(connection.execute(_WAITING_UNFORCED).scalars())
    for what, wrong in {
        "numbers that several outcomes name": {number for number, times in told.items() if times > 1},
        "numbers that outcomes name and that do not exist": told.keys() - there,
        "orders that no outcome names": there - told.keys(),
        "orders with a back-ordered line that nobody forced": waiting - completed,
    }.items():
        if wrong:
            yield f"{what}: {sorted(wrong)[:5]}"


def _of_slice(row: Row[Any], outcomes: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A slice's outcomes against its orders and its own counts."""
    if list(outcomes) != list(json.loads(row.body)) or len(outcomes) != row.order_count:
        yield f"slice {row.id} has outcomes under other keys than its orders"
    numbers = [n for one in outcomes.values() for n in one.get("orders", [])]
    if len(set(numbers)) < len(numbers):
        yield f"slice {row.id} names a number twice"
    ok = sum(one["status"] == "ok" for one in outcomes.values())
    codes = Counter(str(one["code"]) for one in outcomes.values() if one["status"] == "no")
    if ok != row.ok_count or dict(codes) != (row.codes or {}):
        yield f"slice {row.id} counts {row.ok_count} and {row.codes}: {ok} and {dict(codes)}"
