"""Empty, migrated databases for the tests: made from a template, and emptied instead of made again.

Making and dropping one costs some 80 ms, most of it in the system; emptying one costs a few. A database that
a test has given other tables, triggers or constraints, or has filled with a lot, is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate
from shared.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

_GROWN_BYTES = 8 << 20

# Whatever a test may have made or altered and not put back.
_SHAPE = """
    SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'),
        (SELECT md5(string_agg(relname || '.' || attname, ',' ORDER BY attrelid, attnum))
         FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'),
        (SELECT version_num FROM alembic_version)
"""
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Foreign keys are triggers, and need not be asked when everything goes.
_EMPTY = """
    DO $$
    DECLARE name text; filled boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace
            AND relkind = 'r' AND relname <> 'alembic_version'
        LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
            IF filled THEN EXECUTE 'DELETE FROM ' || name; END IF;
        END LOOP;
        PERFORM setval(format('%I.%I', schemaname, sequencename), start_value, false)
            FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
        -- The rows that the migrations write.
        INSERT INTO catalog_state DEFAULT VALUES;
        INSERT INTO change_feed (server, generation) VALUES (change_feed_server(), 1);
    END $$
"""


def database_url(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def make_template(url: str, name: str) -> None:
    """Make the migrated database that the others are copies of; one of several processes makes it."""
    with psycopg.connect(database_url(url, "postgres"), autocommit=True) as connection:
        # The others wait.
        connection.execute("SELECT pg_advisory_lock(1)")
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known:
            return
        connection.execute("DROP DATABASE IF EXISTS template_being_made")
        connection.execute("CREATE DATABASE template_being_made")
        engine = open_database(Settings(database_url=database_url(url, "template_being_made")), "test")
        migrate(engine)
        engine.dispose()
        rename = sql.SQL("ALTER DATABASE template_being_made RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(name)))


class FreshDatabases:
    """The databases of one test process; one that is given back is emptied for the next test."""

    def __init__(self, url: str, template: str, process: str) -> None:
        self._url = url
        self._template = template
        self._process = process
        self._numbers = count(1)
        self._clean: list[str] = []
        self._shape: tuple[Any, ...] = ()

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of a database that nobody else has, for the time of the block."""
        name = self._clean.pop() if self._clean else self._make()
        yield database_url(self._url, name)
        if self._emptied(name):
            self._clean.append(name)
        else:
            self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)

    def _make(self) -> str:
        name = f"test_{self._process}_{next(self._numbers)}"
        self._administer(sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {self._template} STRATEGY file_copy"), name)
        if not self._shape:
            with self._connected(name) as connection:
                self._shape = self._shape_of(connection)
        return name

    def _emptied(self, name: str) -> bool:
        with self._connected(name) as connection:
            connection.execute(_END_OTHERS)
            (grown,) = self._row(
                connection,
                "SELECT pg_database_size(current_database()) - pg_database_size(%s)",
                [self._template],
            )
            if grown > _GROWN_BYTES or self._shape_of(connection) != self._shape:
                return False
            connection.execute(_EMPTY)
            return True

    def _shape_of(self, connection: Connection[Any]) -> tuple[Any, ...]:
        return self._row(connection, _SHAPE)

    @staticmethod
    def _row(connection: Connection[Any], query: str, values: list[Any] | None = None) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
        assert row is not None
        return row

    def _administer(self, statement: sql.SQL, name: str) -> None:
        with self._connected("postgres") as connection:
            connection.execute(statement.format(sql.Identifier(name)))

    @contextmanager
    def _connected(self, name: str) -> Iterator[Connection[Any]]:
        with psycopg.connect(database_url(self._url, name), autocommit=True) as connection:
            yield connection
