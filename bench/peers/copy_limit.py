"""The physical limit: rows that are made already, COPY'd into these very tables by two connections.

What one job of ordermill wrote is read back from its database and written again into another: the same
rows, keys, indexes and foreign keys, in transactions of 250 orders that lock their slices and their stock,
reserve it, and close their slices with the outcomes. No HTTP, no queue, no reading, no decision: what is
left is what PostgreSQL, and nothing else, needs for it.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

ORDERS_PER_TRANSACTION = 250
CONNECTIONS = 2

# Parents before children.
_ROWS: tuple[tuple[str, LiteralString], ...] = (
    ("customers", "id IN (SELECT customer_id FROM orders AS one WHERE {mine})"),
    ("orders", "{mine}"),
    ("order_lines", "order_number IN (SELECT number FROM orders AS one WHERE {mine})"),
    ("allocations", "order_number IN (SELECT number FROM orders AS one WHERE {mine})"),
)
_MINE: LiteralString = "job_id = {job} AND position >= {first} AND position < {end}"
_CLOSING = frozenset({"closed_at", "outcomes", "ok_count", "codes"})


@dataclass(frozen=True)
class Closed:
    """A slice and what it came to."""

    id: int
    outcomes: bytes
    ok_count: int
    codes: str | None


@dataclass(frozen=True)
class Transaction:
    """What one transaction writes: COPY's own text by table, units by item, and slices to close."""

    copies: tuple[tuple[sql.Composed, bytes], ...]
    units: dict[int, int]
    slices: tuple[Closed, ...]


def read_job(source: psycopg.Connection[Any], job_id: str) -> list[Transaction]:
    """What the job wrote, in transactions of some ``ORDERS_PER_TRANSACTION`` orders of whole slices."""
    found = source.execute(
        "SELECT id, outcomes, ok_count, codes::text, first_position, order_count FROM slices"
        " WHERE job_id = %s ORDER BY first_position",
        [job_id],
    ).fetchall()
    transactions, some, first = [], list[Closed](), 0
    for identity, outcomes, ok_count, codes, position, count in found:
        some.append(Closed(identity, outcomes, ok_count, codes))
        end = position + count
        if end - first >= ORDERS_PER_TRANSACTION or identity == found[-1][0]:
            transactions.append(_read(source, job_id, first, end, tuple(some)))
            some, first = [], end
    return transactions


def _read(
    source: psycopg.Connection[Any], job_id: str, first: int, end: int, slices: tuple[Closed, ...]
) -> Transaction:
    mine = sql.SQL(_MINE).format(job=sql.Literal(job_id), first=sql.Literal(first), end=sql.Literal(end))
    copies = tuple(
        _copied(source, table, sql.SQL(which).format(mine=mine), _columns(source, table))
        for table, which in _ROWS
    )
    units = source.execute(
        sql.SQL(
            "SELECT item_id, sum(quantity)::integer FROM allocations WHERE order_number IN"
            " (SELECT number FROM orders WHERE {mine}) GROUP BY item_id"
        ).format(mine=mine)
    )
    return Transaction(copies, dict(units.fetchall()), slices)


def _columns(source: psycopg.Connection[Any], table: str) -> list[str]:
    found = source.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        [table],
    )
    return [row[0] for row in found]


def _copied(
    source: psycopg.Connection[Any], table: str, which: sql.Composable, columns: list[str]
) -> tuple[sql.Composed, bytes]:
    """The command that writes rows of a table, and these rows."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    read = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(names, sql.Identifier(table), which)
    with source.cursor() as cursor, cursor.copy(read) as copy:
        rows = b"".join(bytes(block) for block in copy)
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names), rows


def prepare(source: psycopg.Connection[Any], target: psycopg.Connection[Any], job_id: str) -> None:
    """Put the job and its slices, undecided, into the other database."""
    job = sql.Literal(job_id)
    owner = source.execute("SELECT client_id, api_key_id FROM jobs WHERE id = %s", [job_id]).fetchone()
    if owner is None:
        raise RuntimeError(f"there is no job {job_id}")
    client, key = (sql.SQL("id = {}").format(sql.Literal(one)) for one in owner)
    undecided = [name for name in _columns(source, "slices") if name not in _CLOSING]
    there = target.execute("SELECT 1 FROM api_keys WHERE id = %s", [owner[1]]).fetchone()
    whose = [] if there else [("clients", client), ("api_keys", key)]
    copies = [_copied(source, table, which, _columns(source, table)) for table, which in whose]
    copies.append(_copied(source, "jobs", sql.SQL("id = {}").format(job), _columns(source, "jobs")))
    copies.append(_copied(source, "slices", sql.SQL("job_id = {}").format(job), undecided))
    with target.transaction():
        for command, rows in copies:
            _copy(target, command, rows)


def _copy(connection: psycopg.Connection[Any], command: sql.Composed, rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(rows)


def write(connection: psycopg.Connection[Any], one: Transaction) -> None:
    """One transaction: lock, write, reserve, close."""
    items, ids = sorted(one.units), [closed.id for closed in one.slices]
    with connection.transaction():
        connection.execute("SELECT FROM slices WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids])
        connection.execute(
            "SELECT FROM stock WHERE item_id = ANY(%s) ORDER BY item_id, warehouse_id FOR NO KEY UPDATE",
            [items],
        )
        for command, rows in one.copies:
            _copy(connection, command, rows)
        connection.execute(
            "UPDATE stock SET allocated = allocated + taken.quantity, modified_at = now()"
            " FROM unnest(%s::bigint[], %s::integer[]) AS taken(item_id, quantity)"
            " WHERE stock.item_id = taken.item_id AND warehouse_id = 1",
            [items, [one.units[item] for item in items]],
        )
        connection.execute(
            "UPDATE slices SET closed_at = now(), outcomes = closed.outcomes, ok_count = closed.ok,"
            " codes = closed.codes::jsonb"
            " FROM unnest(%s::bigint[], %s::bytea[], %s::integer[], %s::text[])"
            " AS closed(id, outcomes, ok, codes) WHERE slices.id = closed.id",
            [
                ids,
                *(
                    [getattr(closed, name) for closed in one.slices]
                    for name in ("outcomes", "ok_count", "codes")
                ),
            ],
        )


def write_all(target_url: str, transactions: list[Transaction]) -> float:
    """Write them by ``CONNECTIONS`` connections; seconds from the first statement to the last commit."""
    left, lock, faults = iter(transactions), threading.Lock(), list[BaseException]()
    ready = threading.Barrier(CONNECTIONS + 1)

    def work() -> None:
        try:
            with psycopg.connect(target_url, autocommit=True) as connection:
                ready.wait()
                while True:
                    with lock:
                        one = next(left, None)
                    if one is None:
                        return
                    write(connection, one)
        except BaseException as fault:
            faults.append(fault)
            ready.abort()
            raise

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError("the rows could not be written again") from faults[0]
    return time.perf_counter() - started


def write_job_again(source_url: str, target_url: str, job_id: str) -> float:
    """Write again, into another database with the same catalog, what the job wrote; the seconds it took."""
    with (
        psycopg.connect(source_url, autocommit=True) as source,
        psycopg.connect(target_url, autocommit=True) as target,
    ):
        prepare(source, target, job_id)
        transactions = read_job(source, job_id)
    return write_all(target_url, transactions)


if __name__ == "__main__":
    sys.stdout.write(f"{write_job_again(*sys.argv[1:4])}\n")
