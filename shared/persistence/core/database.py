"""The way to PostgreSQL: one engine per process, made after the fork, and transactions from it."""

from __future__ import annotations

import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from shared.persistence.core.errors import CommitUnknownError, DatabaseAwayError, translated
from shared.persistence.core.limited_connection import connector
from shared.persistence.core.schema_version import check_at_checkout
from shared.settings import Settings

_ANSWER_GRACE_SECONDS = 5
"""By how much the server may be late with ending a statement that has taken too long."""

_UNACKNOWLEDGED_MOST_MS = 25_000
"""As long as three keepalives: how long what was sent may stay without the other kernel's acknowledgement."""


def open_database(
    settings: Settings, role: str, *, needs_schema: bool = False, pool_size: int | None = None
) -> Engine:
    """An engine for this process; ``role`` (api, worker, …) shows in pg_stat_activity.

    It has ``database_pool_size`` connections, unless another number is given. With ``needs_schema``, as
    whoever serves has it, it gives out no connection to a database whose schema is not ours (SchemaError
    then), and gives a connection up whose server does not even end a statement in time.
    A child process opens its own: connections do not survive a fork.
    """
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    limits = {
        "statement_timeout": settings.statement_limit_seconds * 1000,
        "lock_timeout": settings.lock_limit_seconds * 1000,
        # A stopped process must not hold its row locks for ever.
        "idle_in_transaction_session_timeout": settings.statement_limit_seconds * 1000,
        # Nor may the backend of a killed one, which would not look until its statement ends (PostgreSQL 14).
        "client_connection_check_interval": 5_000,
        # Money and moments read the same whatever the server's defaults are.
        "timezone": "UTC",
        "datestyle": "ISO",
    }
    engine = create_engine(
        url,
        pool_size=pool_size or settings.database_pool_size,
        max_overflow=0,
        # A request that finds no free connection is told so instead of hanging.
        pool_timeout=settings.database_connect_seconds,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": settings.database_connect_seconds,
            "application_name": f"ordermill-{role}",
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            # A half-open connection that is idle is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # So is one that owes us an acknowledgement: the kernel sends no keepalives then, and would send
            # the same again for a quarter of an hour.
            "tcp_user_timeout": _UNACKNOWLEDGED_MOST_MS,
        },
    )
    # The server may have restarted since the connection was last used.
    event.listen(engine, "checkout", partial(_check, engine.dialect))
    if needs_schema:
        event.listen(engine, "checkout", check_at_checkout)
        answer_limit = settings.statement_limit_seconds + _ANSWER_GRACE_SECONDS
        event.listen(engine, "do_connect", connector(answer_limit))
    return engine


def _check(dialect: Dialect, connection: DBAPIConnection, *_: object) -> None:
    """Have the pool replace a connection that was closed from the other end.

    The pool's own way is to ask the server each time: a round trip, and a small batch would pay for five.
    An idle connection has nothing to say; when there is something to be read it is its end, most likely.
    """
    unheard = select.poll()
    unheard.register(cast("psycopg.Connection[Any]", connection).fileno(), select.POLLIN)
    if unheard.poll(0):
        try:
            dialect.do_ping(connection)
        except psycopg.Error as error:
            raise exc.InvalidatePoolError("the server has closed it") from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction: committed at the end of the block, rolled back when it raises.

    Raises only PersistenceError for faults of the database; CommitUnknownError where it may have committed.
    """
    committing = False
    try:
        with translated(), engine.begin() as connection:
            yield connection
            committing = True
    except DatabaseAwayError as error:
        if committing:
            raise CommitUnknownError(str(error)) from error
        raise


@contextmanager
def autocommit(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement is a transaction of its own.

    For a single statement: BEGIN and COMMIT around it would cost two more round trips. Raises
    PersistenceError.
    """
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection on which several statements read what was there at one moment. Raises PersistenceError."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with translated(), engine.connect().execution_options(**options) as connection:
        yield connection


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """Psycopg's connection under this one: for COPY, and for values in binary.

    Its faults are the driver's own, for ``translated`` to translate.
    """
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def binary_rows(connection: Connection, query: str, values: Mapping[str, Any]) -> list[Any]:
    """Rows of a query in psycopg's style, read in binary: as text each byte of a body is two.

    Raises PersistenceError.
    """
    with (
        translated(),
        driver_of(connection).cursor(binary=True, row_factory=namedtuple_row) as cursor,
    ):
        return cursor.execute(query, values).fetchall()


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life. Raises PersistenceError."""
    with transaction(engine) as connection:
        connection.execute(text("SELECT 1"))
