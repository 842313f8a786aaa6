"""Who gets into the embedded PostgreSQL, and what they may do there."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import make_url

from cli.servers import ServerUrls, open_servers, temporary_data_dir
from cli.servers.accounts import UIDS, initializer
from cli.servers.child import account_options
from cli.servers.data_dir import open_data_dir
from cli.servers.postgres_programs import find_programs
from shared.persistence.core.migrate import migrate_as_owner
from shared.settings import Settings
from tests.support.server_program import servers_of

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
NOBODY = 65534


@pytest.fixture(scope="module")
def urls(data_dir: Path) -> Iterator[ServerUrls]:
    with open_servers(Settings(), data_dir, own=True) as found:
        yield found


@pytest.fixture(scope="module")
def migrated(urls: ServerUrls) -> ServerUrls:
    migrate_as_owner(named(urls), "test")
    return urls


def named(urls: ServerUrls) -> Settings:
    return Settings(database_url=urls.database_url, migrate_database_url=urls.migrate_database_url)


def is_copied(path: Path) -> bool:
    return path.parts[0].startswith("postgresql-")


def of_each_role(urls: ServerUrls) -> list[str]:
    return [urls.database_url, urls.migrate_database_url, urls.superuser_url]


def test_nobody_gets_in_without_the_password(urls: ServerUrls) -> None:
    for url in of_each_role(urls):
        for wrong in (make_url(url).set(password="a-guess"), make_url(url)._replace(password=None)):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(wrong.render_as_string(hide_password=False))


def test_each_data_directory_has_passwords_of_its_own(urls: ServerUrls) -> None:
    passwords = {make_url(url).password for url in of_each_role(urls)}

    assert len(passwords) == 3
    assert all(password and len(str(password)) >= 32 for password in passwords)


def test_neither_role_is_a_superuser(migrated: ServerUrls) -> None:
    for url in (migrated.database_url, migrated.migrate_database_url):
        with psycopg.connect(url, autocommit=True) as connection:
            role = connection.execute(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert role == (False,)
            for forbidden in (
                "COPY (SELECT 1) TO PROGRAM 'cat'",
                "SELECT pg_read_file('postgresql.conf')",
                "ALTER SYSTEM SET work_mem = '1GB'",
                "SELECT rolpassword FROM pg_authid",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(forbidden)


def test_the_plain_role_reads_and_writes_rows_and_shapes_nothing(migrated: ServerUrls) -> None:
    with psycopg.connect(migrated.database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO warehouses (name) VALUES ('Main')")
        connection.execute("DELETE FROM warehouses")
        for forbidden in (
            "CREATE TABLE mine (id int)",
            "DROP TABLE orders",
            "ALTER TABLE orders ADD mine int",
            "TRUNCATE orders",
            "UPDATE alembic_version SET version_num = '0001'",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_a_table_of_a_later_migration_is_open_to_the_plain_role(migrated: ServerUrls) -> None:
    with psycopg.connect(migrated.migrate_database_url) as owner:
        owner.execute("CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, sku text)")

    with psycopg.connect(migrated.database_url) as connection:
        connection.execute("INSERT INTO later (sku) VALUES ('BRASS-LAMP')")
        assert connection.execute("SELECT sku FROM later").fetchone() == ("BRASS-LAMP",)


def test_the_servers_log_holds_no_row(migrated: ServerUrls, data_dir: Path) -> None:
    with psycopg.connect(migrated.database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO warehouses (name) VALUES (%s)", ["Eva Ek, Storgatan 1"])
        with pytest.raises(errors.UniqueViolation):
            connection.execute("INSERT INTO warehouses (name) VALUES (%s)", ["Eva Ek, Storgatan 1"])
        connection.execute("DELETE FROM warehouses")

    log = (data_dir / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Storgatan" not in log


def test_no_file_of_a_data_directory_is_open_to_others(migrated: ServerUrls, data_dir: Path) -> None:
    assert migrated
    # The programs, copied where their user can run them, hold nothing of anybody's.
    kept = [path for path in data_dir.rglob("*") if not is_copied(path.relative_to(data_dir))]
    open_to_others = [
        path for path in kept if stat.S_IMODE(path.stat().st_mode) & (0o066 if path.is_dir() else 0o077)
    ]

    named = {path.name for path in kept}
    assert {"postgres.log", "redis.log", "redis.pid", "servers.json", "servers.lock"} <= named
    assert open_to_others == []


@needs_root
def test_postgresql_runs_as_a_user_that_is_nobody_else(urls: ServerUrls, data_dir: Path) -> None:
    assert urls
    (uid,) = {process.uids().real for process in servers_of(data_dir) if process.name() == "postgres"}

    assert uid in UIDS
    assert uid not in {entry.pw_uid for entry in pwd.getpwall()}
    assert (data_dir / "postgres").stat().st_uid == uid


@needs_root
def test_what_runs_as_nobody_does_not_reach_the_server_whatever_it_knows(urls: ServerUrls) -> None:
    program = (
        "import os, psycopg, sys, encodings.idna\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try: psycopg.connect(sys.argv[1])\n"
        "except psycopg.OperationalError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, urls.superuser_url], capture_output=True, text=True, check=True
    )

    assert "Permission denied" in done.stdout


@needs_root
def test_nobody_can_hold_a_lock_and_stop_every_command(urls: ServerUrls, data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=False) as found:
        assert found == urls
    program = f"import os, sys; os.setgid({NOBODY}); os.setuid({NOBODY}); open(sys.argv[1])"
    for name in ("servers.lock", "servers.use", "servers.json", "postgres.passwords", "postgres.log"):
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, str(data_dir / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "PermissionError" in done.stderr, name


def test_a_data_directory_of_an_earlier_version_keeps_its_rows_and_is_locked_up() -> None:
    with temporary_data_dir() as place:
        made_the_old_way(place)

        for _ in range(2):
            with open_servers(Settings(), place, own=True) as urls:
                migrate_as_owner(named(urls), "test")
                with psycopg.connect(urls.database_url) as connection:
                    assert connection.execute("SELECT sku FROM kept").fetchone() == ("BRASS-LAMP",)
                    connection.execute("INSERT INTO kept (sku) VALUES ('RED-STOOL')")
                    connection.rollback()
                with psycopg.connect(urls.migrate_database_url) as owner:
                    owner.execute("ALTER TABLE kept ADD size text")
                    owner.rollback()
                test_nobody_gets_in_without_the_password(urls)
        if os.geteuid() == 0:
            assert (place / "postgres").stat().st_uid in UIDS
            assert (place / "postgres" / "base").stat().st_uid in UIDS


def made_the_old_way(data_dir: Path) -> None:
    """A cluster in which everything is the superuser's, who needs no password; as root it is nobody's."""
    opened = open_data_dir(data_dir)
    account = initializer() if opened.account else None
    programs, _ = find_programs(replace(opened, account=account), None)
    cluster = opened.path / "postgres"
    cluster.mkdir(mode=0o700)
    if account is not None:
        os.chown(cluster, account.uid, account.gid)
    making = ["-U", "ordermill", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    steps: list[tuple[list[str | Path], str]] = [
        ([programs / "initdb", "-D", cluster, *making], ""),
        ([programs / "postgres", "--single", "-D", cluster, "postgres"], "CREATE DATABASE ordermill\n"),
        (
            [programs / "postgres", "--single", "-D", cluster, "ordermill"],
            "CREATE TABLE kept (id serial, sku text)\nINSERT INTO kept (sku) VALUES ('BRASS-LAMP')\n",
        ),
    ]
    for command, said in steps:
        subprocess.run(
            command,
            input=said,
            cwd="/",
            env={"LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
            **account_options(account),
        )
