"""What must hold in the database whatever has happened (contract §6, "Invariants, always"), as queries.

Each query finds what breaks its rule, and nothing where all is well. It is the one list: the tests of one
slice, the shop that is used at random and the campaign of faults all ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from shared.persistence.jobs.stored_outcomes import ONE_FOR_ALL

if TYPE_CHECKING:
    from sqlalchemy import Engine

# PostgreSQL's json takes no U+0000 in text; another character in its place, on both sides, compares as well.
_AS_JSON = r"replace(convert_from({}, 'UTF8'), '\u0000', '\ue000')::json"
# Gone with the transaction, which is never committed. Tables, because most of the queries read them.
_TABLES = (
    # Every outcome that was written down, with its place in its batch, and the key that was sent there.
    f"""
    CREATE TEMPORARY TABLE told ON COMMIT DROP AS
    SELECT slices.job_id, form, dry_run, slices.id AS slice_id, first_position + nth - 1 AS position,
        asked_key, key, outcome
    FROM slices
    JOIN jobs ON jobs.id = slices.job_id
    CROSS JOIN LATERAL (
        SELECT asked_key, nth,
            CASE WHEN {ONE_FOR_ALL} THEN asked_key ELSE key END AS key,
            CASE WHEN {ONE_FOR_ALL} THEN {_AS_JSON.format("outcomes")} -> 0 ELSE outcome END AS outcome
        FROM json_object_keys({_AS_JSON.format("body")}) WITH ORDINALITY AS asked (asked_key, nth)
        FULL JOIN json_each(
            CASE WHEN {ONE_FOR_ALL} THEN CAST('{{}}' AS json) ELSE {_AS_JSON.format("outcomes")} END
        ) WITH ORDINALITY AS answered (key, outcome, nth) USING (nth)
    ) AS members
    WHERE closed_at IS NOT NULL
    """,  # noqa: S608 - made of nothing but what stands here
    # Every number in an outcome that says ok.
    """
    CREATE TEMPORARY TABLE numbers ON COMMIT DROP AS
    SELECT job_id, form, position, key, CAST(written AS bigint) AS number
    FROM told
    CROSS JOIN LATERAL json_array_elements_text(
        coalesce(outcome -> 'orders', json_build_array(outcome -> 'order'))
    ) AS numbered (written)
    WHERE outcome ->> 'status' = 'ok' AND NOT dry_run AND outcome -> 'shipment' IS NULL
    """,
    # And every shipment that one tells.
    """
    CREATE TEMPORARY TABLE told_shipments ON COMMIT DROP AS
    SELECT job_id, position, key, CAST(outcome ->> 'shipment' AS bigint) AS number
    FROM told WHERE outcome ->> 'status' = 'ok' AND NOT dry_run AND outcome -> 'shipment' IS NOT NULL
    """,
    "ANALYZE told, numbers, told_shipments",
)
_AT_REST = {
    "every job ends": "SELECT id, job_id, attempts, dispatches FROM slices WHERE closed_at IS NULL",
}
_ALWAYS = {
    "the feed of changes has every order": """
        SELECT number FROM orders EXCEPT SELECT unnest(numbers) FROM order_changes
    """,
    "every line has the words under which its item was sold": """
        SELECT order_number, line FROM order_lines
        WHERE item_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM item_versions AS sold
            WHERE sold.item_id = order_lines.item_id AND sold.version = order_lines.item_version
        )
        UNION ALL
        SELECT items.id, items.version FROM items
        LEFT JOIN item_versions AS kept ON kept.item_id = items.id AND kept.version = items.version
        WHERE (items.ean, items.upc, items.product, items.variant, items.size, items.brand)
            IS DISTINCT FROM (kept.ean, kept.upc, kept.product, kept.variant, kept.size, kept.brand)
    """,
    "slices make up their job": """
        SELECT id FROM jobs
        WHERE deleted_at IS NULL
        AND total <> (SELECT coalesce(sum(order_count), 0) FROM slices WHERE job_id = jobs.id)
        UNION ALL
        SELECT job_id FROM (
            SELECT job_id, first_position, coalesce(
                lag(first_position + order_count) OVER (PARTITION BY job_id ORDER BY first_position), 0
            ) AS expected FROM slices
        ) AS in_a_row WHERE first_position <> expected
    """,
    "every key has exactly one outcome": """
        SELECT job_id, asked_key, key FROM told WHERE asked_key IS DISTINCT FROM key
        UNION ALL
        SELECT job_id, key, key FROM told GROUP BY job_id, key HAVING count(*) > 1
    """,
    "a slice counts its outcomes": """
        WITH by_code AS (
            SELECT slice_id, CASE WHEN outcome -> 'errors' -> 0 ->> 'reason' = 'cancelled'
                THEN 'cancelled' ELSE outcome ->> 'code' END AS code, count(key) AS times
            FROM told GROUP BY 1, 2
        ), counted AS (
            SELECT slice_id, sum(times) AS whole, sum(times) FILTER (WHERE code IS NULL) AS ok,
                sum(times) FILTER (WHERE code = 'cancelled') AS cancelled,
                jsonb_object_agg(code, times) FILTER (WHERE code <> 'cancelled') AS by_code
            FROM by_code GROUP BY slice_id
        )
        SELECT id, order_count, whole, ok_count, ok, codes, by_code
        FROM slices LEFT JOIN counted ON slice_id = id
        WHERE closed_at IS NOT NULL AND (
            order_count IS DISTINCT FROM whole OR ok_count <> coalesce(ok, 0)
            OR cancelled_count <> coalesce(cancelled, 0)
            OR coalesce(codes, '{}') <> coalesce(by_code, '{}')
        )
    """,
    "a finished job tells what its slices came to": """
        WITH counted AS (
            SELECT job_id, bool_and(closed_at IS NOT NULL) AS ended, sum(ok_count) AS ok,
                sum(cancelled_count) AS cancelled
            FROM slices GROUP BY job_id
        ), by_code AS (
            SELECT job_id, code, sum(CAST(times AS integer)) AS times
            FROM slices CROSS JOIN jsonb_each_text(codes) AS rejected (code, times) GROUP BY job_id, code
        ), rejected AS (
            SELECT job_id, jsonb_object_agg(code, times) AS codes FROM by_code GROUP BY job_id
        )
        SELECT id, ended, ok_count, ok, jobs.codes, rejected.codes
        FROM jobs JOIN counted ON counted.job_id = id LEFT JOIN rejected ON rejected.job_id = id
        WHERE finished_at IS NOT NULL AND (
            NOT ended OR ok_count <> ok OR cancelled_count <> cancelled
            OR jobs.codes <> coalesce(rejected.codes, '{}')
        )
    """,
    "a running job's progress is what its slices came to": """
        SELECT jobs.id, counted.decided, counted.ok, closed.decided, closed.ok FROM jobs
        LEFT JOIN (
            SELECT job_id, sum(decided) AS decided, sum(ok) AS ok FROM job_progress GROUP BY job_id
        ) AS counted ON counted.job_id = id
        LEFT JOIN (
            SELECT job_id, sum(order_count) AS decided, sum(ok_count) AS ok FROM slices
            WHERE closed_at IS NOT NULL GROUP BY job_id
        ) AS closed ON closed.job_id = id
        WHERE finished_at IS NULL
        AND (counted.decided IS DISTINCT FROM closed.decided OR counted.ok IS DISTINCT FROM closed.ok)
    """,
    "an ok names its orders": """
        SELECT told.job_id, told.key FROM told
        WHERE outcome ->> 'status' = 'ok' AND NOT dry_run AND form NOT LIKE 'shipment%' AND NOT EXISTS (
            SELECT FROM numbers WHERE numbers.job_id = told.job_id AND numbers.position = told.position
            AND number IS NOT NULL
        )
    """,
    "a dry run makes no order and tells no number": """
        SELECT number, job_id, '' AS key FROM orders JOIN jobs ON jobs.id = job_id WHERE dry_run
        UNION ALL
        SELECT NULL, job_id, key FROM told
        WHERE dry_run AND outcome ->> 'status' = 'ok'
        AND (outcome -> 'orders' IS NOT NULL OR outcome -> 'order' IS NOT NULL)
    """,
    "what a dry run would have taken is forgotten with its job": """
        SELECT jobs.id FROM jobs WHERE finished_at IS NOT NULL AND (
            EXISTS (SELECT FROM dry_run_stock WHERE job_id = jobs.id)
            OR EXISTS (SELECT FROM dry_run_vouchers WHERE job_id = jobs.id)
            OR EXISTS (SELECT FROM dry_run_numbers WHERE job_id = jobs.id)
        )
    """,
    "an atomic batch is made whole or not at all": """
        SELECT job_id, count(*) FILTER (WHERE outcome ->> 'status' = 'ok'), count(*) FROM told
        JOIN jobs ON jobs.id = job_id WHERE atomic GROUP BY job_id
        HAVING count(DISTINCT outcome ->> 'status') > 1
    """,
    "every ok number is an order of its job": """
        SELECT numbers.number, numbers.job_id, numbers.key FROM numbers
        LEFT JOIN orders ON orders.number = numbers.number AND (
            form NOT IN ('batch', 'order')
            OR orders.job_id = numbers.job_id AND orders.position = numbers.position
        )
        WHERE orders.number IS NULL
    """,
    # A completion names the orders that it completed, the prepared one first, a cancellation those that it
    # cancelled; those are no second ones.
    "every ok number is told for one order": """
        SELECT number, count(*) FROM numbers WHERE form IN ('batch', 'order')
        GROUP BY number HAVING count(*) > 1
    """,
    "no order is without an outcome": """
        SELECT number, job_id FROM orders
        WHERE NOT EXISTS (SELECT FROM numbers WHERE numbers.number = orders.number)
        AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = job_id AND deleted_at IS NOT NULL)
    """,
    "completions of an order name it and all its parts": """
        SELECT numbers.job_id, key, array_agg(numbers.number) FROM numbers
        JOIN orders USING (number)
        JOIN (SELECT first_number, count(*) AS parts FROM orders GROUP BY 1) AS whole USING (first_number)
        WHERE form LIKE 'completion%' GROUP BY numbers.job_id, key
        HAVING count(DISTINCT first_number) > 1 OR count(*) <> max(parts)
    """,
    "the parts of an order count from 0 and name the first": """
        SELECT job_id, position, array_agg(part ORDER BY part) FROM orders GROUP BY job_id, position
        HAVING min(part) <> 0 OR max(part) <> count(*) - 1 OR count(DISTINCT part) <> count(*)
            OR count(DISTINCT first_number) <> 1
            OR min(first_number) <> min(number) FILTER (WHERE part = 0)
    """,
    "an order comes to what its lines do": """
        SELECT number, lines_total, sum(unit_price * quantity) FROM orders
        LEFT JOIN order_lines ON order_number = number
        GROUP BY number HAVING lines_total IS DISTINCT FROM sum(unit_price * quantity)
    """,
    "shipping is charged once": "SELECT number FROM orders WHERE part > 0 AND shipping_value <> 0",
    "nothing is oversold": """
        SELECT item_id, warehouse_id, physical, allocated FROM stock
        WHERE allocated < 0 OR allocated > physical
    """,
    "stock sums to the unit": """
        SELECT stock.item_id, stock.warehouse_id, allocated, coalesce(sum(quantity), 0)
        FROM stock LEFT JOIN allocations USING (item_id, warehouse_id)
        GROUP BY stock.item_id, stock.warehouse_id, allocated
        HAVING allocated <> coalesce(sum(quantity), 0)
    """,
    "a line takes what it asks for and does not wait for": """
        SELECT number, line, order_lines.quantity, back_ordered, coalesce(sum(allocations.quantity), 0)
        FROM orders
        JOIN order_lines ON order_lines.order_number = number
        LEFT JOIN allocations USING (order_number, line)
        LEFT JOIN delivery_windows ON delivery_windows.name = delivery_window
        GROUP BY number, state, line, order_lines.quantity, back_ordered, shipped, adjust_stock, preorder
        HAVING coalesce(sum(allocations.quantity), 0) <> CASE
            WHEN state NOT IN ('prepared', 'cancelled') AND adjust_stock AND preorder IS NOT TRUE
            THEN order_lines.quantity - back_ordered - shipped ELSE 0
        END
    """,
    "a line takes its own item": """
        SELECT order_number, line FROM allocations JOIN order_lines USING (order_number, line)
        WHERE allocations.item_id IS DISTINCT FROM order_lines.item_id
    """,
    "nothing waits for stock that nobody forced": """
        SELECT number FROM orders JOIN order_lines ON order_number = number
        WHERE back_ordered > 0 AND NOT force_create AND NOT EXISTS (
            SELECT FROM numbers WHERE numbers.number = orders.number AND form LIKE 'completion%'
        )
    """,
    "a customer is registered once": """
        SELECT lower(email), count(*) FROM customers WHERE registered_email IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1
    """,
    "what is cancelled has nothing, and has not shipped": """
        SELECT number, line, back_ordered, shipped FROM orders JOIN order_lines ON order_number = number
        WHERE state = 'cancelled' AND (back_ordered > 0 OR shipped > 0)
    """,
    "an order's state says how much of it has shipped": """
        SELECT number, state, sum(shipped), sum(quantity) FROM orders
        JOIN order_lines ON order_number = number GROUP BY number
        HAVING (state = 'shipped') <> (sum(shipped) = sum(quantity))
            OR (state = 'partially_shipped') <> (sum(shipped) > 0 AND sum(shipped) < sum(quantity))
    """,
    "shipments make up what has shipped": """
        SELECT order_lines.order_number, line, shipped, sum(shipment_lines.quantity)
        FROM order_lines LEFT JOIN shipment_lines USING (order_number, line)
        GROUP BY order_lines.order_number, line, shipped
        HAVING shipped <> coalesce(sum(shipment_lines.quantity), 0)
    """,
    "every ok shipment exists, and no other does": """
        SELECT told_shipments.number, told_shipments.job_id FROM told_shipments
        LEFT JOIN shipments USING (number) WHERE shipments.number IS NULL
        UNION ALL
        SELECT number, job_id FROM shipments
        WHERE NOT EXISTS (
            SELECT FROM told_shipments AS told
            WHERE told.job_id = shipments.job_id AND told.position = shipments.position
                AND told.number = shipments.number
        ) AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = job_id AND deleted_at IS NOT NULL)
    """,
    "a voucher's uses are those of the live orders that have it": """
        WITH live AS (
            SELECT CAST(had ->> 'id' AS integer) AS id, count(*) AS uses FROM orders AS first
            CROSS JOIN LATERAL jsonb_array_elements(first.vouchers) AS had
            WHERE CAST(had ->> 'limited' AS boolean) AND EXISTS (
                SELECT FROM orders AS part
                WHERE part.first_number = first.number AND part.state <> 'cancelled'
            ) GROUP BY 1
        )
        SELECT vouchers.id, used, live.uses FROM vouchers LEFT JOIN live USING (id)
        WHERE vouchers.uses IS NOT NULL AND used <> coalesce(live.uses, 0)
    """,
    "a voucher is used no more often than it may be": "SELECT id, uses, used FROM vouchers WHERE used > uses",
}


def broken_invariants(engine: Engine, *, at_rest: bool = False) -> dict[str, list[tuple[object, ...]]]:
    """Each rule that does not hold, with the rows that break it; all as of one moment.

    ``at_rest``: nothing is going on any more, so nothing may be undecided either.
    """
    queries = {**_ALWAYS, **(_AT_REST if at_rest else {})}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        for table in _TABLES:
            connection.execute(text(table))
        found = {rule: connection.execute(text(query)).all() for rule, query in queries.items()}
    return {rule: [tuple(row) for row in rows] for rule, rows in found.items() if rows}
