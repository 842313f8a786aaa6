from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from cli.database import database, database_as_it_is
from cli.errors import NotDoneError
from cli.servers import ServersError, ServerUrls, open_servers, temporary_data_dir
from shared.persistence.access.first_steps import FirstSteps, first_steps
from shared.persistence.core.migrate import schema_is_current
from shared.settings import Settings, environment_with
from tests.support.server_program import servers_of


@pytest.fixture(scope="module")
def data_dir(data_dir: Path) -> Path:
    """With an empty shop."""
    with open_servers(Settings(), data_dir, own=True):
        return data_dir


@pytest.fixture(autouse=True)
def no_servers_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


def ordermill(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", *words],
        env=environment_with(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_embedded_database_is_migrated_for_whoever_reaches_it(data_dir: Path) -> None:
    with database(data_dir) as (settings, engine):
        assert schema_is_current(engine)
        assert first_steps(engine) == FirstSteps(has_keys=False, has_items=False)
        assert settings.redis_url.startswith("unix://")

    assert servers_of(data_dir) == []


def test_a_named_database_needs_no_redis_and_no_data_directory(
    settings: Settings, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)

    with database(data_dir / "untouched") as (reached, _):
        assert reached.database_url == settings.database_url
    assert not (data_dir / "untouched").exists()


def test_a_named_database_with_another_schema_is_left_as_it_is(
    settings: Settings, engine: Engine, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    monkeypatch.setenv("DATABASE_URL", settings.database_url)

    with pytest.raises(NotDoneError, match="ordermill migrate"), database(data_dir):
        pass
    with database_as_it_is(data_dir) as (_, reached):
        assert not schema_is_current(reached)


def test_migrate_says_where_the_schema_is_and_is_done_again_for_nothing(
    servers: ServerUrls, settings: Settings
) -> None:
    named = {"DATABASE_URL": settings.database_url, "REDIS_URL": servers.redis_url}

    told = [ordermill("migrate", **named) for _ in range(2)]

    assert [done.returncode for done in told] == [0, 0], told[0].stderr
    assert told[0].stdout == told[1].stdout
    assert told[0].stdout.startswith("The schema is at ")


def test_a_database_that_is_away_is_one_sentence_and_exit_code_2() -> None:
    done = ordermill("migrate", DATABASE_URL="postgresql://mill:secret@127.0.0.1:1/mill", REDIS_URL="")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "Error: The database of DATABASE_URL cannot be reached: nothing listens at '127.0.0.1' port 1"
    )
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "--name", "shop", "--scopes", "orders:write"),
        ("keys", "list"),
        ("catalog", "load", "--demo"),
        ("migrate",),
    ],
    ids=" ".join,
)
def test_a_command_with_a_forgotten_data_dir_makes_no_database(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    place = tmp_path / "forgotten"

    done = ordermill(*words, DATABASE_URL="", REDIS_URL="", ORDERMILL_DATA_DIR=str(place))

    assert (done.returncode, done.stdout) == (2, "")
    told = done.stderr.splitlines()[-1]
    assert told.startswith(f"Error: There is no ordermill database in {place}: ")
    assert "--data-dir" in told
    assert not place.exists()


def test_a_directory_that_holds_something_else_is_no_database_either() -> None:
    with temporary_data_dir() as place:
        (place / "servers.lock").touch()

        with (
            pytest.raises(ServersError, match="There is no ordermill database in"),
            database_as_it_is(place),
        ):
            pass
        assert sorted(path.name for path in place.iterdir()) == ["servers.lock", "servers.use"]


def test_a_key_is_printed_alone_with_servers_that_only_it_started(data_dir: Path) -> None:
    done = ordermill(
        *("keys", "create", "--name", "shop", "--scopes", "orders:write", "--data-dir", str(data_dir)),
        DATABASE_URL="",
        REDIS_URL="",
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 1
    assert servers_of(data_dir) == []
    with database(data_dir) as (_, engine):
        assert first_steps(engine) == FirstSteps(has_keys=True, has_items=False)
