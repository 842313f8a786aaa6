"""The database of a command: the one that DATABASE_URL names, or a data directory's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.errors import NotDoneError
from cli.servers import open_servers
from shared.logs import configure_logging
from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate_as_owner, schema_is_current
from shared.settings import Settings, load_data_dir, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

Command = TypeVar("Command", bound=Callable[..., Any])


def data_dir_option(command: Command) -> Command:
    """Give a command ``--data-dir``, a Path in its ``data_dir`` parameter."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=load_data_dir,
        show_default="ORDERMILL_DATA_DIR, else the user's data directory",
        help="Where the embedded servers keep what is theirs; unused when the environment names servers.",
    )(command)


@contextmanager
def database(data_dir: Path) -> Iterator[tuple[Settings, Engine]]:
    """The settings, with their URLs filled in, and an engine, for as long as the block lasts.

    Without DATABASE_URL it is the embedded database: of the ordermill that runs on ``data_dir``, else started
    for this block; only `serve` and `demo` make one. Raises SettingsError, ServersError, PersistenceError,
    and NotDoneError for a schema of another version.
    """
    with database_as_it_is(data_dir) as (settings, engine):
        if not load_settings().database_url:
            migrate_as_owner(settings, "cli")
        elif not schema_is_current(engine):
            raise NotDoneError(
                "The database's schema is not this ordermill's: `ordermill migrate` brings it up."
            )
        yield settings, engine


@contextmanager
def database_as_it_is(data_dir: Path) -> Iterator[tuple[Settings, Engine]]:
    """The same, whatever schema the database has."""
    settings = load_settings()
    # Standard output is for what was asked for, a new key alone for instance; log lines go elsewhere.
    configure_logging(settings, "cli")
    if settings.database_url:
        # A named database needs no servers of ours, even when no Redis is named.
        with _opened(open_database(settings, "cli")) as engine:
            yield settings, engine
        return
    with open_servers(settings, data_dir, own=False, make=False) as urls:
        settings = replace(
            settings,
            database_url=urls.database_url,
            redis_url=urls.redis_url,
            migrate_database_url=urls.migrate_database_url,
        )
        with _opened(open_database(settings, "cli")) as engine:
            yield settings, engine


@contextmanager
def _opened(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()
