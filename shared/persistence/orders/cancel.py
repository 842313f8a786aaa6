"""Cancellations in the database, in bulk: a fixed number of statements, however many there are.

What they free goes to the orders that wait for it. Those are locked with the orders to be cancelled, all by
number, before any stock is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from shared.domain.cancellation import Cancellation, CancellingOrder
from shared.persistence.core.back_orders import lock_waiting, serve_waiting
from shared.persistence.core.database import transaction
from shared.persistence.core.errors import TransientError

# By job and position: that is how the constraint orders_one_per_key finds the parts of one order request.
_PARTS = """
    SELECT part.number FROM orders AS asked
    JOIN orders AS part ON part.job_id = asked.job_id AND part.position = asked.position
    WHERE asked.number = ANY(CAST(:numbers AS bigint[]))
"""
_LOOK = text(f"""
    SELECT ARRAY({_PARTS}), ARRAY(
        SELECT DISTINCT item_id FROM order_lines
        WHERE order_number = ANY(CAST(:numbers AS bigint[])) AND item_id IS NOT NULL
    )
""")  # noqa: S608 - made of nothing but what stands above
_READ = text(f"""
    SELECT number, first_number, market_id, state FROM orders WHERE number = ANY(ARRAY({_PARTS}))
    ORDER BY first_number, part
""")  # noqa: S608 - made of nothing but what stands above
_SHIPPED = text("""
    SELECT order_number, id, shipped FROM order_lines
    WHERE order_number = ANY(CAST(:numbers AS bigint[])) AND shipped > 0 ORDER BY order_number, line
""")
# All that there is of the items, as orders lock it: what waits for one may take it from several warehouses.
_LOCK_STOCK = text("""
    SELECT count(*) FROM (
        SELECT FROM stock WHERE item_id = ANY(CAST(:items AS bigint[]))
        ORDER BY item_id, warehouse_id FOR NO KEY UPDATE
    ) AS locked
""")
_CANCEL = text("""
    UPDATE orders SET state = 'cancelled', cancelled_at = :moment, cancel_reason = gone.reason
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:reasons AS text[])) AS gone (number, reason)
    WHERE orders.number = gone.number
""")
_END_WAITING = text("""
    UPDATE order_lines SET back_ordered = 0
    WHERE order_number = ANY(CAST(:numbers AS bigint[])) AND back_ordered > 0
""")
_END_ALLOCATIONS = text("""
    WITH given_back AS (
        DELETE FROM allocations WHERE order_number = ANY(CAST(:numbers AS bigint[]))
        RETURNING item_id, warehouse_id, quantity
    ), sums AS (
        SELECT item_id, warehouse_id, sum(quantity) AS quantity FROM given_back GROUP BY 1, 2
    )
    UPDATE stock SET allocated = allocated - sums.quantity, modified_at = clock_timestamp() FROM sums
    WHERE stock.item_id = sums.item_id AND stock.warehouse_id = sums.warehouse_id
""")
# An order that was made before it was kept says neither a voucher's id nor whether a use was counted.
_USES = text("""
    SELECT vouchers.id, count(*) AS uses
    FROM orders
    CROSS JOIN LATERAL jsonb_array_elements(orders.vouchers) AS had
    JOIN vouchers ON CASE
        WHEN had -> 'id' IS NOT NULL THEN vouchers.id = CAST(had ->> 'id' AS integer)
        WHEN had ->> 'code' IS NOT NULL THEN vouchers.code = had ->> 'code'
        ELSE vouchers.name = had ->> 'name'
    END
    WHERE orders.number = ANY(CAST(:numbers AS bigint[]))
        AND COALESCE(CAST(had ->> 'limited' AS boolean), vouchers.uses IS NOT NULL)
    GROUP BY vouchers.id ORDER BY vouchers.id
""")
_LOCK_USES = text(
    "SELECT count(*) FROM (SELECT FROM vouchers WHERE id = ANY(CAST(:ids AS integer[]))"
    " ORDER BY id FOR NO KEY UPDATE) AS locked"
)
# Never below none: of those orders a voucher may have counted fewer.
_GIVE_BACK = text("""
    UPDATE vouchers SET used = greatest(used - given_back.uses, 0)
    FROM unnest(CAST(:ids AS integer[]), CAST(:uses AS integer[])) AS given_back (id, uses)
    WHERE vouchers.id = given_back.id
""")
_EXPIRED = text("""
    SELECT number FROM orders
    WHERE state = 'prepared' AND created_at < now() - CAST(:hours AS float8) * interval '1 hour'
    ORDER BY number LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
""")


@dataclass(slots=True)
class OrdersToCancel:
    """Orders by number, locked, and what else is locked for them."""

    by_number: dict[int, CancellingOrder] = field(default_factory=dict)
    items: frozenset[int] = frozenset()
    """The items of their lines."""
    waiting: frozenset[int] = frozenset()
    """The orders that are locked: these, and those that wait for the same items."""


def lock_orders_to_cancel(connection: Connection, numbers: Collection[int]) -> OrdersToCancel:
    """The orders of these numbers that there are; they, their other parts and who waits are locked.

    It comes before any stock is locked in this transaction. Raises TransientError where an order has just
    become several.
    """
    if not numbers:
        return OrdersToCancel()
    wanted = {"numbers": sorted(numbers)}
    parts, items = connection.execute(_LOOK, wanted).one()
    locked = lock_waiting(connection, items, also=parts)
    rows = connection.execute(_READ, wanted).all()
    if not {row.number for row in rows} <= locked:
        raise TransientError("an order that is to be cancelled has just become several")
    shipped: dict[int, dict[int, int]] = defaultdict(dict)
    for number, line_id, units in connection.execute(_SHIPPED, wanted):
        shipped[number][line_id] = units
    return OrdersToCancel(_by_number(rows, numbers, shipped), frozenset(items), locked)


def _by_number(
    rows: Sequence[Any], numbers: Collection[int], shipped: dict[int, dict[int, int]]
) -> dict[int, CancellingOrder]:
    states: dict[int, dict[int, str]] = defaultdict(dict)
    for row in rows:
        states[row.first_number][row.number] = row.state
    asked = set(numbers)
    return {
        row.number: CancellingOrder(
            row.number, row.first_number, row.market_id, states[row.first_number], shipped[row.number]
        )
        for row in rows
        if row.number in asked
    }


def lock_what_they_have(connection: Connection, locked: OrdersToCancel) -> set[int]:
    """Lock the stock of the orders' items, and the vouchers that they have. Gives the vouchers' ids."""
    if not locked.by_number:
        return set()
    connection.execute(_LOCK_STOCK, {"items": sorted(locked.items)})
    return set(_locked_uses(connection, {order.first_number for order in locked.by_number.values()}))


def write_cancellations(
    connection: Connection, moment: datetime, cancelled: Sequence[Cancellation], locked: OrdersToCancel
) -> None:
    """Write what cancelled orders give back, and serve who waited for it."""
    if not cancelled:
        return
    connection.execute(_LOCK_STOCK, {"items": sorted(locked.items)})
    _write(connection, moment, {one.order.number: one.reason for one in cancelled})
    serve_waiting(connection, locked.items, locked.waiting)
    give_back_uses(connection, [one.order.first_number for one in cancelled if one.gives_back_uses])


def _write(connection: Connection, moment: datetime, reasons: dict[int, str | None]) -> None:
    numbers = {"numbers": list(reasons)}
    connection.execute(_CANCEL, {**numbers, "moment": moment, "reasons": list(reasons.values())})
    connection.execute(_END_WAITING, numbers)
    connection.execute(_END_ALLOCATIONS, numbers)


def give_back_uses(connection: Connection, first_numbers: Sequence[int]) -> None:
    """Give back the uses of vouchers that the orders of these first numbers have."""
    uses = _locked_uses(connection, first_numbers) if first_numbers else {}
    if uses:
        connection.execute(_GIVE_BACK, {"ids": list(uses), "uses": list(uses.values())})


def _locked_uses(connection: Connection, first_numbers: Collection[int]) -> dict[int, int]:
    """How many uses of which vouchers these orders have, the vouchers locked."""
    uses = dict(connection.execute(_USES, {"numbers": list(first_numbers)}).tuples().all())
    if uses:
        connection.execute(_LOCK_USES, {"ids": list(uses)})
    return uses


def cancel_expired(engine: Engine, hours: float, most: int, reason: str) -> int:
    """Cancel at most so many of the prepared orders that are as many hours old. Gives how many.

    They have no stock and are of one part; whoever has one of them in hand is left to it. Raises
    PersistenceError.
    """
    with transaction(engine) as connection:
        expired = connection.execute(_EXPIRED, {"hours": hours, "most": most})
        numbers = sorted(expired.scalars())
        if numbers:
            moment = connection.execute(text("SELECT now()")).scalar_one()
            _write(connection, moment, dict.fromkeys(numbers, reason))
            give_back_uses(connection, numbers)
    return len(numbers)
