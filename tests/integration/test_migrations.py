"""The migrations make what the tables say, once, however many ask for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, make_url, text

from shared import persistence
from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate, schema_is_current
from shared.persistence.core.tables import metadata
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from cli.servers import ServerUrls


@pytest.fixture
def empty_settings(servers: ServerUrls, worker_id: str) -> Iterator[Settings]:
    """Settings with a database that no migration has seen."""
    name = f"empty_{worker_id}"
    url = make_url(servers.database_url)
    administration = url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield Settings(database_url=url.set(database=name).render_as_string(hide_password=False))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})

        assert compare_metadata(context, metadata) == []


def test_migrated_check_constraints_are_those_of_the_tables(engine: Engine) -> None:
    declared = {
        (table.name, constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }

    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint "
                "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
            )
        )
        found = {(table, name) for table, name in rows}

    assert declared
    assert found == declared


def test_every_constraint_has_a_name_of_ours() -> None:
    unnamed = [
        (table.name, constraint)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]

    assert not unnamed


def test_several_that_migrate_at_once_do_it_once(empty_settings: Settings) -> None:
    def bring_up(number: int) -> str:
        engine = open_database(replace(empty_settings, database_pool_size=2), f"test-{number}")
        try:
            return migrate(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(5) as pool:
        revisions = set(pool.map(bring_up, range(5)))

    engine = open_database(empty_settings, "test")
    assert len(revisions) == 1
    assert schema_is_current(engine)
    engine.dispose()


def test_schema_that_nobody_migrated_is_told_apart(empty_settings: Settings) -> None:
    engine = open_database(empty_settings, "test")

    assert not schema_is_current(engine)

    migrate(engine)
    assert schema_is_current(engine)
    engine.dispose()


def test_customers_of_one_mailbox_become_one_registered_customer(engine: Engine) -> None:
    found = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations")).get_revision("0010")
    spelled = ["eva@bücher.example", "eva@xn--bcher-kva.example", "åsa@example.com", "a\u030asa@example.com"]
    others = ["bo@example.com", "eva@例え。jp", "σας@ς.example"]
    with engine.connect() as connection:
        connection.execute(
            text("INSERT INTO customers (email, registered_email) VALUES (:email, :email)"),
            [{"email": one} for one in (*spelled, *others)],
        )
        with Operations.context(MigrationContext.configure(connection)):
            found.module.upgrade()

        rows = connection.execute(text("SELECT registered_email FROM customers ORDER BY id")).scalars().all()
        assert rows == [
            "eva@xn--bcher-kva.example",
            None,
            "åsa@example.com",
            None,
            "bo@example.com",
            "eva@xn--r8jz45g.jp",
            "σας@xn--3xa.example",
        ]
        connection.rollback()


def test_migrating_what_is_up_to_date_changes_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text("SELECT xmin::text, version_num FROM alembic_version")).all()

    migrate(engine)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT xmin::text, version_num FROM alembic_version")).all() == before
