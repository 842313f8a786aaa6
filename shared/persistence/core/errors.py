"""Errors of persistence: an order's own fault, or one that passes. Nothing of a driver's.

Whatever is not known to be a fault of the data passes for one that will pass: a final "no" that was the
server's fault is worse than a slice that waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc


class PersistenceError(Exception):
    """Any fault of the store."""


class TransientError(PersistenceError):
    """Trying the same again at once may succeed: a deadlock, a serialization failure, no free connection."""


class LimitError(TransientError):
    """A lock or a statement took longer than its limit: somebody else is in the way."""


class IdleTooLongError(TransientError):
    """The server ended a transaction in which we did nothing for too long: our own slowness, no outage."""


class UnableError(TransientError):
    """The server cannot do this now, nor at once: a full disk, another schema, a missing right, a standby."""


class DatabaseAwayError(TransientError):
    """The database cannot be reached at all."""


class CommitUnknownError(DatabaseAwayError):
    """The database went away in the middle of a commit: it may have happened or not."""


class PermanentError(PersistenceError):
    """The data are at fault, and trying the same again fails the same.

    ``constraint`` is the name of the one that they ran into, or ``""``.
    """

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


# By SQLSTATE, the longest of these prefixes that fits. What is not here is the server's: UnableError.
_KINDS: dict[str, type[PersistenceError]] = {
    # What the data of an order can cause: a value, a constraint, a row or a key that is too large.
    "22": PermanentError,
    "23": PermanentError,
    "54": PermanentError,
    # Deadlocks and the like, and a server that has no connection to spare.
    "40": TransientError,
    "53300": TransientError,
    "55P03": LimitError,
    "57014": LimitError,
    "25P03": IdleTooLongError,
    "08": DatabaseAwayError,
    "57P": DatabaseAwayError,
}
_LONGEST = 5


@contextmanager
def translated() -> Iterator[None]:
    """Turn every driver exception raised inside into a PersistenceError, or into MemoryError where it is one.

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


def _named(cause: BaseException | None, *, lost: bool) -> PersistenceError | MemoryError:
    if not isinstance(cause, psycopg.Error):
        return UnableError(type(cause).__name__)
    if cause.sqlstate is None:
        return _of_the_driver(cause, lost=lost)
    prefixes = (cause.sqlstate[:length] for length in range(_LONGEST, 1, -1))
    kind = next((_KINDS[prefix] for prefix in prefixes if prefix in _KINDS), UnableError)
    if kind is DatabaseAwayError or (lost and kind in {UnableError, TransientError}):
        return DatabaseAwayError("the database cannot be reached")
    if kind is PermanentError:
        return PermanentError(_told(cause), cause.diag.constraint_name or "")
    return kind(_told(cause))


def _of_the_driver(cause: psycopg.Error, *, lost: bool) -> PersistenceError | MemoryError:
    """A fault that no server told of."""
    # An OperationalError without a code is libpq's own: no connection, or none any more.
    if lost or isinstance(cause, psycopg.OperationalError):
        return DatabaseAwayError("the database cannot be reached")
    if "out of memory" in str(cause):
        return MemoryError("the database's driver is out of memory")
    # A value that cannot be sent, whether it is in the data or our own mistake.
    if isinstance(cause, psycopg.DataError | psycopg.ProgrammingError):
        return PermanentError(_told(cause))
    return UnableError(_told(cause))


def _told(cause: psycopg.Error) -> str:
    diag = cause.diag
    told = (type(cause).__name__, cause.sqlstate, diag.table_name, diag.column_name, diag.constraint_name)
    return " ".join(filter(None, told))
