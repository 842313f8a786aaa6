"""CONTRACT 6's "Invariants, always", as queries that find what breaks them, and nothing where all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

# Every number in an outcome that says ok, and what had been asked for: orders, or the completion of one.
_TOLD = """
    CREATE TEMPORARY VIEW told AS
        SELECT slices.job_id, jobs.form, key, CAST(written AS bigint) AS number
        FROM slices
        JOIN jobs ON jobs.id = slices.job_id
        CROSS JOIN LATERAL json_each(convert_from(outcomes, 'UTF8')::json) AS member (key, outcome)
        CROSS JOIN LATERAL json_array_elements_text(
            coalesce(outcome -> 'orders', json_build_array(outcome -> 'order'))
        ) AS numbered (written)
        WHERE outcome ->> 'status' = 'ok'
"""
_BREAKS = {
    "more is allocated than lies there": """
        SELECT item_id, warehouse_id, physical, allocated FROM stock
        WHERE allocated < 0 OR allocated > physical
    """,
    "what is allocated is not what the orders hold": """
        SELECT stock.item_id, stock.warehouse_id, allocated, coalesce(sum(quantity), 0)
        FROM stock LEFT JOIN allocations USING (item_id, warehouse_id)
        GROUP BY stock.item_id, stock.warehouse_id, allocated
        HAVING allocated <> coalesce(sum(quantity), 0)
    """,
    "an order holds what it should not, or lacks what it should hold": """
        SELECT number, line, order_lines.quantity, back_ordered, coalesce(sum(allocations.quantity), 0)
        FROM orders
        JOIN order_lines ON order_lines.order_number = number
        LEFT JOIN allocations USING (order_number, line)
        LEFT JOIN delivery_windows ON delivery_windows.name = delivery_window
        GROUP BY number, state, line, order_lines.quantity, back_ordered, adjust_stock, preorder
        HAVING coalesce(sum(allocations.quantity), 0) <> CASE
            WHEN state = 'created' AND adjust_stock AND preorder IS NOT TRUE
            THEN order_lines.quantity - back_ordered ELSE 0
        END
    """,
    "an ok number is no order of its job": """
        SELECT told.job_id, key, told.number FROM told
        LEFT JOIN orders ON orders.number = told.number
            AND (form = 'completion' OR orders.job_id = told.job_id)
        WHERE orders.number IS NULL
    """,
    "a number is told for two orders": """
        SELECT number, count(*) FROM told WHERE form <> 'completion'
        GROUP BY number HAVING count(*) > 1
    """,
    "a completion tells of several orders": """
        SELECT told.job_id, key FROM told JOIN orders USING (number)
        WHERE form = 'completion' GROUP BY told.job_id, key HAVING count(DISTINCT first_number) > 1
    """,
    "an order is named by no outcome": """
        SELECT number FROM orders WHERE NOT EXISTS (
            SELECT FROM told WHERE told.number = orders.number
        )
    """,
    "an order does not come to what its lines do": """
        SELECT number, lines_total, sum(unit_price * quantity) FROM orders
        LEFT JOIN order_lines ON order_number = number
        GROUP BY number HAVING lines_total IS DISTINCT FROM sum(unit_price * quantity)
    """,
    "shipping is charged twice": """
        SELECT first_number FROM orders WHERE part > 0 AND shipping_value <> 0
    """,
    "the parts of an order are not its parts": """
        SELECT job_id, position FROM orders GROUP BY job_id, position
        HAVING min(part) <> 0 OR max(part) <> count(*) - 1 OR count(DISTINCT first_number) <> 1
            OR min(first_number) <> min(number) FILTER (WHERE part = 0)
    """,
}


def broken_invariants(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Each invariant that does not hold, with the rows that break it; all as of one moment."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # Gone with the transaction, which is never committed.
        connection.execute(text(_TOLD))
        found = {why: connection.execute(text(query)).all() for why, query in _BREAKS.items()}
    return {why: [tuple(row) for row in rows] for why, rows in found.items() if rows}
