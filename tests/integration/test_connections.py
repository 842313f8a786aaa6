"""Connections that were closed while they lay in the pool are replaced before anybody meets them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from shared.persistence.core.database import open_database, ping, transaction
from shared.persistence.core.errors import CommitUnknownError, DatabaseAwayError
from shared.settings import Settings
from tests.support.black_hole import BlackHole

BACKEND = text("SELECT pg_backend_pid()")


@pytest.fixture
def pool(settings: Settings) -> Iterator[Engine]:
    made = open_database(settings, "pooled")
    yield made
    made.dispose()


def backend(connection: Connection) -> int:
    return int(connection.execute(BACKEND).scalar_one())


def end_them_all(settings: Settings) -> None:
    """What a restart of the server does to the connections that nobody uses."""
    with psycopg.connect(settings.database_url, autocommit=True) as administration:
        administration.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'ordermill-pooled' AND datname = current_database()"
        )


def test_a_connection_is_used_again(pool: Engine) -> None:
    with pool.connect() as first:
        before = backend(first)
    with pool.connect() as second:
        assert backend(second) == before


def test_all_that_were_closed_from_the_other_end_are_replaced(settings: Settings, pool: Engine) -> None:
    with pool.connect() as one, pool.connect() as two:
        before = {backend(one), backend(two)}
    end_them_all(settings)

    with pool.connect() as one, pool.connect() as two:
        after = {backend(one), backend(two)}

    assert len(after) == 2
    assert not after & before
    ping(pool)


def test_a_connection_that_has_something_else_to_say_is_kept(settings: Settings, pool: Engine) -> None:
    with pool.connect() as subscribed:
        before = backend(subscribed)
        subscribed.execute(text("LISTEN gossip"))
        subscribed.commit()
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        other.execute("NOTIFY gossip")

    with pool.connect() as again:
        assert backend(again) == before


def test_a_connection_whose_other_end_acknowledges_nothing_is_given_up_in_half_a_minute(
    settings: Settings,
) -> None:
    url = urlsplit(settings.database_url)
    (directory,) = parse_qs(url.query)["host"]
    with BlackHole(f"{directory}/.s.PGSQL.5432") as hole:
        who = url.netloc.rpartition("@")[0]
        over_tcp = url._replace(netloc=f"{who}@127.0.0.1:{hole.port}", query="").geturl()
        made = open_database(replace(settings, database_url=over_tcp), "pooled")
        with made.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with socket.socket(fileno=driver.fileno()) as way:
                given_up_ms = way.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                way.detach()
        made.dispose()

    # Without it the kernel sends what was not acknowledged again for about a quarter of an hour.
    assert given_up_ms == 25_000


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does not run, though its kernel answers for it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def serving(settings: Settings) -> Iterator[Engine]:
    """What a process that serves has, with the shortest limit of a statement."""
    made = open_database(replace(settings, statement_limit_seconds=1), "serving", needs_schema=True)
    yield made
    made.dispose()


def test_a_server_process_that_does_not_run_is_given_up_and_another_one_asked(serving: Engine) -> None:
    with serving.connect() as connection:
        pid = backend(connection)
    with stopped(pid):
        with pytest.raises(DatabaseAwayError):
            ping(serving)

        ping(serving)
        with serving.connect() as connection:
            assert backend(connection) != pid


def test_a_commit_that_is_not_answered_may_have_happened(serving: Engine) -> None:
    with ExitStack() as until_the_end, pytest.raises(CommitUnknownError), transaction(serving) as connection:
        until_the_end.enter_context(stopped(backend(connection)))
