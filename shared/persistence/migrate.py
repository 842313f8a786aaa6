"""Bring the schema up. Several processes may ask at once: one does it, the others wait and find it done."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from shared.persistence.errors import translated

# Any number will do, so long as nobody else takes this advisory lock in the same database.
_MIGRATION_LOCK = 0x6F726D


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def migrate(engine: Engine) -> str:
    """Run every migration that is missing and return the revision reached. Raises PersistenceError."""
    config = _config()
    with translated(), engine.connect() as connection:
        # Waiting for the other one may take longer than a usual lock or statement is allowed to.
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            return MigrationContext.configure(connection).get_current_revision() or ""
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})
            connection.commit()
            connection.invalidate()


def schema_is_current(engine: Engine) -> bool:
    """Whether the database's schema is the one that this code was written for. Raises PersistenceError."""
    with translated(), engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory.from_config(_config()).get_current_head()
