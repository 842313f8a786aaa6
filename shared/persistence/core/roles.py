"""The two roles of a database: an owner, who makes tables, and a plain one, which only reads and writes rows.

Neither is a superuser, so whoever gets hold of a role's connection can run no program on the server, read no
file of it, and drop no table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from shared.persistence.core.errors import translated

if TYPE_CHECKING:
    from sqlalchemy import TextClause

OWNER = "ordermill_owner"
PLAIN = "ordermill_app"

# What a database of an earlier version has in other hands; the bootstrap superuser's things cannot be given
# away all at once. Indexes and the sequences of columns go with their tables.
_TAKE_OVER: LiteralString = """
    DO $$
    DECLARE thing record;
    BEGIN
        FOR thing IN
            SELECT oid::regclass AS name, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
            FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
                AND relowner <> {owner_name}::regrole
                AND NOT EXISTS (
                    SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i', 'e')
                        AND classid = 'pg_class'::regclass AND relkind = 'S'
                )
        LOOP
            EXECUTE format('ALTER %s %s OWNER TO {owner}', thing.kind, thing.name);
        END LOOP;
        FOR thing IN
            SELECT oid::regprocedure AS name FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND proowner <> {owner_name}::regrole
        LOOP
            EXECUTE format('ALTER ROUTINE %s OWNER TO {owner}', thing.name);
        END LOOP;
    END $$
"""


def make_roles(superuser_url: str, passwords: Mapping[str, str], database: str) -> None:
    """Give each role of ``passwords`` its password, and ``database`` to OWNER; make what is missing of them.

    A role that is made is no superuser; one that is there keeps what it may do. ``superuser_url`` names a
    superuser, and any database but ``database``. May be done again. Raises PersistenceError.
    """
    with translated():
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            for role, password in passwords.items():
                _make_role(connection, role, password)
            _make_database(connection, database)
        with psycopg.connect(superuser_url, dbname=database) as connection:
            _run(connection, ["GRANT ALL ON SCHEMA public TO {owner}", _TAKE_OVER])


def _make_role(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if found is None:
        connection.execute(
            sql.SQL("CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(
                sql.Identifier(role)
            )
        )
    # Not the password itself, which might end in a log.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(verifier.decode())
        )
    )


def _make_database(connection: psycopg.Connection[Any], database: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    statement: LiteralString = (
        "ALTER DATABASE {database} OWNER TO {owner}" if found else "CREATE DATABASE {database} OWNER {owner}"
    )
    connection.execute(
        sql.SQL(statement).format(database=sql.Identifier(database), owner=sql.Identifier(OWNER))
    )


def _run(connection: psycopg.Connection[Any], statements: Sequence[LiteralString]) -> None:
    for statement in statements:
        connection.execute(
            sql.SQL(statement).format(owner=sql.Identifier(OWNER), owner_name=sql.Literal(OWNER))
        )


# Future tables too: also those that a DBA makes by hand as the owner.
_GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    # UPDATE: a catalog with ids of its own sets the sequence behind them.
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {role}",
    # Which schema this is, only the owner may say.
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
)


def grant_rows(connection: Connection, role: str) -> None:
    """Let ``role`` read and write all rows of ours, now and in future; as the owner of the tables.

    Nothing is granted to the owner itself, who may do all that.
    """
    if connection.execute(text("SELECT current_user")).scalar_one() == role:
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for statement in _GRANTS:
        connection.execute(_as_text(statement.format(role=quoted)))


def _as_text(statement: str) -> TextClause:
    # A colon in a role's name is no parameter.
    return text(statement.replace(":", r"\:"))
