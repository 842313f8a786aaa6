"""What persistence raises: a fault that retrying may mend, or one that it will not. Nothing of a driver's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from sqlalchemy import exc


class PersistenceError(Exception):
    """Any fault of the store."""


class TransientError(PersistenceError):
    """Trying the same again may succeed: a lost connection, a deadlock, a lock or statement limit."""


class DatabaseAwayError(TransientError):
    """The database cannot be reached at all."""


class PermanentError(PersistenceError):
    """Trying the same again fails the same; ``constraint`` is the name of the one it ran into, or ``""``."""

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


_TRANSIENT = (
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.TooManyConnections,
    pg.OutOfMemory,
    pg.DiskFull,
    pg.ReadOnlySqlTransaction,
)
_AWAY = (pg.AdminShutdown, pg.CrashShutdown, pg.CannotConnectNow, pg.IdleInTransactionSessionTimeout)


@contextmanager
def translated() -> Iterator[None]:
    """Turn every driver exception raised inside into a PersistenceError.

    Its traceback is kept, its words are not: PostgreSQL shows the row at fault, with somebody's address in
    it, and whatever is raised here may end in a log.
    """
    try:
        yield
    except exc.TimeoutError as error:  # the pool had no connection in time
        raise TransientError("every database connection of this process is in use") from error
    except exc.DBAPIError as error:
        named = _named(error.orig, lost=error.connection_invalidated)
        raise named.with_traceback(error.__traceback__) from None
    except psycopg.Error as error:
        raise _named(error, lost=False).with_traceback(error.__traceback__) from None


def _named(cause: BaseException | None, *, lost: bool) -> PersistenceError:
    if isinstance(cause, _TRANSIENT):
        return TransientError(type(cause).__name__)
    # An OperationalError without a code is libpq's own: no connection, or none any more.
    no_code = isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
    if lost or no_code or isinstance(cause, _AWAY):
        return DatabaseAwayError("the database cannot be reached")
    if isinstance(cause, psycopg.Error):
        diag = cause.diag
        told = (type(cause).__name__, cause.sqlstate, diag.table_name, diag.column_name, diag.constraint_name)
        return PermanentError(" ".join(filter(None, told)), diag.constraint_name or "")
    return PermanentError(type(cause).__name__)
