"""The limit: raw psycopg on one connection, multi-row statements, transactions of 250 orders.

No HTTP, no queue, no validation. It writes the rows that ordermill writes and reserves the same stock.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import orjson
import psycopg

from bench.orders import make_orders
from bench.peers.rows import line_columns, order_columns

ORDERS_PER_TRANSACTION = 250


def write_all(database_url: str, orders: Sequence[dict[str, Any]]) -> float:
    """Write all orders and give the seconds that it took, from the first statement to the last commit."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        items: dict[str, int] = dict(connection.execute("SELECT sku, id FROM items").fetchall())
        started = time.perf_counter()
        left = iter(orders)
        while some := list(islice(left, ORDERS_PER_TRANSACTION)):
            with connection.transaction():
                _write(connection, some, items)
        return time.perf_counter() - started


def _write(connection: psycopg.Connection[Any], orders: list[dict[str, Any]], items: dict[str, int]) -> None:
    wanted: dict[int, int] = {}
    for order in orders:
        for line in order["products"]:
            wanted[items[line["sku"]]] = wanted.get(items[line["sku"]], 0) + line["qty"]
    connection.execute(
        "SELECT FROM stock WHERE item_id = ANY(%s) ORDER BY item_id, warehouse_id FOR NO KEY UPDATE",
        [list(wanted)],
    )
    numbers = [
        row[0]
        for row in connection.execute(
            "SELECT nextval('order_number_seq') FROM generate_series(1, %s)", [len(orders)]
        )
    ]
    customers = [
        row[0]
        for row in connection.execute(
            "INSERT INTO customers (email) SELECT unnest(%s::text[]) RETURNING id",
            [[order["invoiceAddress"]["email"] for order in orders]],
        )
    ]
    order_rows = [order_columns(*row) for row in zip(orders, numbers, customers, strict=True)]
    for row in order_rows:
        row["invoice_address"] = orjson.dumps(row["invoice_address"]).decode()
        row["delivery_address"] = orjson.dumps(row["delivery_address"]).decode()
    lines = [
        line
        for order, number in zip(orders, numbers, strict=True)
        for line in line_columns(order, number, items)
    ]
    taken = [
        {
            "order_number": line["order_number"],
            "line": line["line"],
            "item_id": line["item_id"],
            "warehouse_id": 1,
            "quantity": line["quantity"],
        }
        for line in lines
    ]
    _insert(connection, "orders", order_rows)
    _insert(connection, "order_lines", lines)
    _insert(connection, "allocations", taken)
    connection.execute(
        "UPDATE stock SET allocated = allocated + taken.quantity, modified_at = now()"
        " FROM unnest(%s::bigint[], %s::integer[]) AS taken(item_id, quantity)"
        " WHERE stock.item_id = taken.item_id AND warehouse_id = 1",
        [list(wanted), list(wanted.values())],
    )


def _insert(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    # Fewer parameters than the protocol's 65,535 in each statement.
    for start in range(0, len(rows), 1_000):
        some = rows[start : start + 1_000]
        one = f"({', '.join(['%s'] * len(columns))})"
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(some))}",  # noqa: S608 - tables and columns of ours
            [value for row in some for value in row.values()],
        )


if __name__ == "__main__":
    url, count, seed, hot = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "hot"
    sys.stdout.write(f"{write_all(url, list(make_orders(count, seed, hot=hot).values()))}\n")
