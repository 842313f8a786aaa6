"""What must hold in the database once everything has been healed, as queries that find what breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SHOWN = 3


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, and how: one sentence."""

    promise: str
    what: str


# Every outcome that was written down, with its place in its batch; and every order number in one of them.
_VIEWS = (
    """
    CREATE TEMPORARY VIEW told AS
    SELECT slices.job_id, slices.id AS slice_id, first_position + nth - 1 AS position, key, outcome
    FROM slices
    CROSS JOIN LATERAL json_each(convert_from(outcomes, 'UTF8')::json)
        WITH ORDINALITY AS member (key, outcome, nth)
    WHERE closed_at IS NOT NULL
    """,
    """
    CREATE TEMPORARY VIEW numbers AS
    SELECT job_id, position, key, CAST(number AS bigint) AS number
    FROM told
    CROSS JOIN LATERAL json_array_elements_text(
        coalesce(outcome -> 'orders', json_build_array(outcome -> 'order'))
    ) AS numbered (number)
    WHERE outcome ->> 'status' = 'ok'
    """,
)

_QUERIES = {
    "no job is unfinished": "SELECT id, job_id, attempts, dispatches FROM slices WHERE closed_at IS NULL",
    "slices make up their job": """
        SELECT id FROM jobs
        WHERE total <> (SELECT coalesce(sum(order_count), 0) FROM slices WHERE job_id = jobs.id)
        UNION ALL
        SELECT job_id FROM (
            SELECT job_id, first_position, coalesce(
                lag(first_position + order_count) OVER (PARTITION BY job_id ORDER BY first_position), 0
            ) AS expected FROM slices
        ) AS in_a_row WHERE first_position <> expected
    """,
    "every key has exactly one outcome": """
        SELECT job_id, key, count(*) FROM told GROUP BY job_id, key HAVING count(*) > 1
        UNION ALL
        SELECT slices.job_id, NULL, count(slice_id) FROM slices LEFT JOIN told ON slice_id = slices.id
        WHERE closed_at IS NOT NULL GROUP BY slices.id HAVING count(slice_id) <> order_count
    """,
    "an ok names its orders": """
        SELECT told.job_id, told.key FROM told
        WHERE outcome ->> 'status' = 'ok' AND NOT EXISTS (
            SELECT FROM numbers WHERE numbers.job_id = told.job_id AND numbers.position = told.position
            AND number IS NOT NULL
        )
    """,
    "every ok number exists once": """
        SELECT number, count(*) FROM numbers GROUP BY number HAVING count(*) > 1
        UNION ALL
        SELECT numbers.number, 0 FROM numbers LEFT JOIN orders ON orders.number = numbers.number
            AND orders.job_id = numbers.job_id AND orders.position = numbers.position
        WHERE orders.number IS NULL
    """,
    "no order is without an outcome": """
        SELECT orders.number, orders.job_id FROM orders LEFT JOIN numbers ON orders.number = numbers.number
        WHERE numbers.number IS NULL
    """,
    "no order is there twice": """
        SELECT job_id, position, part, count(*) FROM orders
        GROUP BY job_id, position, part HAVING count(*) > 1
    """,
    "every order has lines": """
        SELECT number FROM orders
        WHERE NOT EXISTS (SELECT FROM order_lines WHERE order_number = orders.number)
    """,
    "stock sums to the unit": """
        SELECT stock.item_id, stock.warehouse_id, allocated, coalesce(sum(quantity), 0)
        FROM stock LEFT JOIN allocations
            ON allocations.item_id = stock.item_id AND allocations.warehouse_id = stock.warehouse_id
        GROUP BY stock.item_id, stock.warehouse_id HAVING allocated <> coalesce(sum(quantity), 0)
    """,
    "every line has its stock": """
        SELECT order_lines.order_number, order_lines.line FROM order_lines
        JOIN orders ON orders.number = order_lines.order_number AND state = 'created' AND adjust_stock
        LEFT JOIN allocations ON allocations.order_number = order_lines.order_number
            AND allocations.line = order_lines.line
        GROUP BY order_lines.order_number, order_lines.line
        HAVING order_lines.quantity - order_lines.back_ordered <> coalesce(sum(allocations.quantity), 0)
    """,
    "nothing is oversold": "SELECT * FROM stock WHERE allocated < 0 OR allocated > physical",
}


def broken_promises(engine: Engine) -> list[Violation]:
    """Run all of them, as of one moment."""
    found = []
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        for view in _VIEWS:
            connection.execute(text(view))
        for promise, query in _QUERIES.items():
            rows = connection.execute(text(query)).all()
            if rows:
                shown = "; ".join(str(tuple(row)) for row in rows[:_SHOWN])
                found.append(Violation(promise, f"{len(rows)} rows, such as {shown}"))
    return found
