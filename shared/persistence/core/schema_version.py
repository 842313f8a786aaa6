"""The version of a database's schema: a role works only with one that it knows how to write.

A version that meets tables from before its migration, or from after one that it has never heard of, would
fail at every order, or write what nobody reads; it waits instead, and says for what.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Engine

from shared.persistence.core.errors import UnableError, translated

_VERSIONS = Path(__file__).parents[1] / "migrations" / "versions"
_ASSIGNED = re.compile(r'^(revision|down_revision|serves) = "(\w+)"$', re.MULTILINE)
# A connection is asked again after so long: the tables may change under it.
_BELIEVED_SECONDS = 5.0
_SEEN_AT = "ordermill_schema_seen_at"


class SchemaError(UnableError):
    """The database's schema is another one than ours; the message names both, and the way out."""


@dataclass(frozen=True)
class Revisions:
    """The migrations that this code knows, in their order."""

    known: tuple[str, ...]
    serves: str
    """The oldest revision whose code can go on working with the schema of the last."""

    @property
    def head(self) -> str:
        """The revision that this code was written for."""
        return self.known[-1]


@cache
def revisions() -> Revisions:
    """Read them off the scripts themselves: loading Alembic for it would cost each process 10 MB.

    A script may say ``serves = "…"``: the code of that revision can use the tables that the script leaves.
    One that says nothing serves its own code only.
    """
    scripts: list[dict[str, str]] = [
        dict(_ASSIGNED.findall(path.read_text(encoding="utf-8"))) for path in _VERSIONS.glob("*.py")
    ]
    after = {script.get("down_revision", ""): script for script in scripts}
    last = after[""]
    known = [last["revision"]]
    while known[-1] in after:
        last = after[known[-1]]
        known.append(last["revision"])
    return Revisions(tuple(known), last.get("serves", known[-1]))


def check_schema(engine: Engine) -> None:
    """Ask the database for its schema's revision. Raises SchemaError, and PersistenceError as always."""
    with translated(), engine.connect() as connection:
        _check(cast("psycopg.Connection[Any]", connection.connection.dbapi_connection))


def check_at_checkout(connection: Any, record: Any, _proxy: object) -> None:
    """The same of a connection that the pool is about to give out, every few seconds; for its event."""
    if time.monotonic() - record.info.get(_SEEN_AT, float("-inf")) > _BELIEVED_SECONDS:
        with translated():
            _check(connection)
        record.info[_SEEN_AT] = time.monotonic()


def served_note(revision: str, serves: str) -> str:
    """The comment on the table of the revision by which an older version sees that it may go on."""
    return f"{revision} serves {serves}"


def _check(connection: psycopg.Connection[Any]) -> None:
    found, note = _read(connection)
    ours = revisions()
    if found == ours.head or (
        found not in ours.known and note in (served_note(found, it) for it in ours.known)
    ):
        return
    if not found:
        raise SchemaError("the database has no schema yet: `ordermill migrate` makes it")
    if found in ours.known:
        raise SchemaError(
            f"the database's schema is {found}, and this ordermill needs {ours.head}: "
            "`ordermill migrate` brings it up"
        )
    raise SchemaError(
        f"the database's schema is {found}, of another version, and this ordermill knows {ours.head}: "
        "run the version that it was migrated with"
    )


def _read(connection: psycopg.Connection[Any]) -> tuple[str, str]:
    """The database's revision, ``""`` for none, and the note that the migration left beside it."""
    try:
        row = connection.execute(
            "SELECT found, obj_description(found, 'pg_class') FROM to_regclass('alembic_version') AS found"
        ).fetchone()
        if row is None or row[0] is None:
            return "", ""
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return (version[0] if version else ""), row[1] or ""
    finally:
        if not connection.closed:
            connection.rollback()
