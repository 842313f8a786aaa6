"""Migration of the schema. Several processes may ask at once: one does it, the others wait for it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, make_url, text

from shared.persistence.core.database import open_database
from shared.persistence.core.errors import translated
from shared.persistence.core.roles import grant_rows
from shared.persistence.core.schema_version import SchemaError, check_schema, revisions, served_note
from shared.settings import Settings

# Any number will do, so long as nobody else takes this advisory lock in the same database.
_MIGRATION_LOCK = 0x6F726D


def _config() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    return config


def migrate(engine: Engine, plain_role: str = "") -> str:
    """Run every migration that is missing and return the revision reached. Raises PersistenceError.

    ``plain_role`` may read and write the rows of all tables then; ``""`` leaves rights as they are.
    """
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
            ours = revisions()
            note = served_note(ours.head, ours.serves)
            connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{note}'"))
            if plain_role:
                grant_rows(connection, plain_role)
            connection.commit()
            return MigrationContext.configure(connection).get_current_revision() or ""
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})
            connection.commit()
            connection.invalidate()


def migrate_as_owner(settings: Settings, role: str) -> str:
    """The same as the role of MIGRATE_DATABASE_URL, for that of DATABASE_URL; ``role`` is this process's."""
    engine = open_database(settings.owners, role)
    try:
        return migrate(engine, make_url(settings.database_url).username or "")
    finally:
        engine.dispose()


def schema_is_current(engine: Engine) -> bool:
    """Whether the database's schema is one that this code can work with. Raises PersistenceError."""
    try:
        check_schema(engine)
    except SchemaError:
        return False
    return True
