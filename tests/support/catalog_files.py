"""Catalogs in the database of a test: loaded from plain values, or put there as they were loaded before."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from shared.persistence.catalog.export import exported_lists
from shared.persistence.catalog.load import load_catalog
from shared.persistence.core.database import transaction
from shared.schemas.catalog import catalog_text, read_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from shared.domain.catalog_file import LoadSummary

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)

CATALOG_TABLES = (
    *(
        "warehouses",
        "allocation_rules",
        "pricelists",
        "shipping_options",
        "markets",
        "items",
        "item_versions",
        "prices",
        "stock",
    ),
    *("campaigns", "vouchers", "accounts", "buyers", "delivery_windows", "catalog_state"),
)


def quietly(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def load(engine: Engine, catalog: dict[str, Any] | bytes) -> LoadSummary:
    """Load a catalog given as values or as the bytes of a file."""
    raw = catalog if isinstance(catalog, bytes) else json.dumps(catalog).encode()
    return load_catalog(engine, read_catalog(raw, ZoneInfo("UTC"), quietly), quietly)


_PUT: dict[bytes, list[tuple[str, bytes]]] = {}
"""The rows of what this process has loaded, by the bytes of the file: SQL to copy them, and the data."""

# What a row has of its own when it is stored.
_COLUMNS = text("""
    SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = ANY(:tables)
        AND is_generated = 'NEVER' AND column_default IS DISTINCT FROM 'now()'
    GROUP BY table_name
""")
_NUMBERS = text("""
    SELECT format('SELECT setval(%L, %s);', pg_get_serial_sequence(c.table_name, column_name), last_value)
    FROM information_schema.columns AS c JOIN pg_sequences AS s ON s.schemaname = 'public'
        AND pg_get_serial_sequence(c.table_name, column_name) = 'public.' || s.sequencename
    WHERE c.table_schema = 'public' AND c.table_name = ANY(:tables) AND is_identity = 'YES'
        AND last_value IS NOT NULL
""")


def put(engine: Engine, catalog: dict[str, Any]) -> None:
    """Have a catalog in a database that has none yet, as if it had been loaded.

    Loading takes hundreds of milliseconds; so it is done once, and the rows are copied from then on.
    """
    raw = json.dumps(catalog).encode()
    if raw not in _PUT:
        load(engine, raw)
        _PUT[raw] = _copied_out(engine)
        return
    with engine.begin() as connection, _cursor(connection) as cursor:
        # Foreign keys are triggers, and held where the rows come from.
        cursor.execute("SET LOCAL session_replication_role = replica; DELETE FROM catalog_state")
        for statement, data in _PUT[raw]:
            if not data:
                cursor.execute(statement.encode())
                continue
            with cursor.copy(statement.encode()) as copy:
                copy.write(data)


def _copied_out(engine: Engine) -> list[tuple[str, bytes]]:
    tables = {"tables": list(CATALOG_TABLES)}
    found = []
    with engine.begin() as connection, _cursor(connection) as cursor:
        columns = dict(connection.execute(_COLUMNS, tables).tuples().all())
        for table in CATALOG_TABLES:
            with cursor.copy(f"COPY {table} ({columns[table]}) TO STDOUT".encode()) as copy:
                data = b"".join(map(bytes, copy))
            if data:
                found.append((f"COPY {table} ({columns[table]}) FROM STDIN", data))
        found.append((" ".join(connection.scalars(_NUMBERS, tables)), b""))
    return found


@contextmanager
def _cursor(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    with raw.cursor() as cursor:
        yield cursor


def exported(engine: Engine) -> bytes:
    """The bytes of an exported catalog."""
    with exported_lists(engine) as lists:
        return b"".join(catalog_text(lists))


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def execute(engine: Engine, statement: str, **values: Any) -> None:
    """Change something behind the catalog's back."""
    with transaction(engine) as connection:
        connection.execute(text(statement), values)


def row_versions(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Where each row of the catalog lies, and which transaction put it there."""
    return {
        table: rows(engine, f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")  # noqa: S608 - a table of ours
        for table in CATALOG_TABLES
    }
