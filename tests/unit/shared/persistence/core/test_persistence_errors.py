"""Which faults of the database are an order's own, and which pass."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import exc

from shared.persistence.core.errors import (
    DatabaseAwayError,
    IdleTooLongError,
    LimitError,
    PermanentError,
    TransientError,
    UnableError,
    translated,
)

BY_STATE = {
    # What an order's own data can cause.
    "22001": PermanentError,
    "22003": PermanentError,
    "22P05": PermanentError,
    "23502": PermanentError,
    "23505": PermanentError,
    "23514": PermanentError,
    "54000": PermanentError,
    # What passes within moments.
    "40001": TransientError,
    "40P01": TransientError,
    "53300": TransientError,
    "55P03": LimitError,
    "57014": LimitError,
    # Our own slowness.
    "25P03": IdleTooLongError,
    # Nobody is there.
    "08006": DatabaseAwayError,
    "57P01": DatabaseAwayError,
    "57P02": DatabaseAwayError,
    "57P03": DatabaseAwayError,
    # The server's: a schema before its migration, rights, disks, quotas, files, a standby, its own faults.
    "42703": UnableError,
    "42P01": UnableError,
    "42883": UnableError,
    "42501": UnableError,
    "53000": UnableError,
    "53100": UnableError,
    "53200": UnableError,
    "53400": UnableError,
    "58000": UnableError,
    "58030": UnableError,
    "58P01": UnableError,
    "25006": UnableError,
    "0A000": UnableError,
    "55000": UnableError,
    "XX000": UnableError,
    "XX001": UnableError,
    # One that nobody has thought of.
    "ZZ999": UnableError,
}


def raised(cause: psycopg.Error, *, lost: bool = False) -> BaseException:
    with pytest.raises((TransientError, PermanentError, MemoryError)) as caught, translated():
        raise exc.DBAPIError("SELECT", {}, cause, connection_invalidated=lost)
    return caught.value


def of_state(state: str) -> psycopg.Error:
    kind: type[psycopg.Error] = type("OfTheServer", (psycopg.DatabaseError,), {"sqlstate": state})
    return kind("Eva Lind, Storgatan 1")


@pytest.mark.parametrize("state", BY_STATE, ids=str)
def test_only_what_the_data_can_cause_is_a_fault_of_the_data(state: str) -> None:
    error = raised(of_state(state))

    assert type(error) is BY_STATE[state]
    assert "Eva" not in str(error)


@pytest.mark.parametrize("state", ["XX000", "40001", "57P01"])
def test_a_connection_that_is_lost_is_a_database_that_is_away(state: str) -> None:
    assert type(raised(of_state(state), lost=True)) is DatabaseAwayError


def test_a_transaction_that_we_left_idle_is_no_outage_although_its_connection_is_lost() -> None:
    assert type(raised(of_state("25P03"), lost=True)) is IdleTooLongError


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), DatabaseAwayError),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), PermanentError),
        (psycopg.ProgrammingError("cannot adapt type 'object'"), PermanentError),
        (psycopg.InterfaceError("the cursor is closed"), UnableError),
        (psycopg.DatabaseError("out of memory for query result"), MemoryError),
    ],
    ids=["lost", "value", "type", "state", "memory"],
)
def test_what_no_server_told_of_is_the_drivers(cause: psycopg.Error, kind: type[BaseException]) -> None:
    assert type(raised(cause)) is kind
