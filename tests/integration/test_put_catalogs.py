"""The catalogs of the tests as they are put: the same rows as when they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from shared.persistence.core.database import open_database
from tests.support.catalog_files import CATALOG_TABLES, exported, load, put, rows
from tests.support.catalogs import (
    FILE_CATALOG,
    MAIL_CATALOG,
    PARAMETER_CATALOG,
    SMALL_CATALOG,
    WORKER_CATALOG,
    item,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.settings import Settings

FreshSettings = Callable[[str], AbstractContextManager["Settings"]]


def contents(engine: Engine) -> dict[str, Any]:
    """All rows but for when they were stored, the bytes of an export, and how far ids have been given out."""
    found: dict[str, Any] = {
        table: sorted(
            row[0]
            for row in rows(engine, f"SELECT (to_jsonb(t) - 'modified_at')::text FROM {table} AS t")  # noqa: S608 - tables of ours
        )
        for table in CATALOG_TABLES
    }
    numbers = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
    return {**found, "export": exported(engine), "numbers": rows(engine, numbers)}


@pytest.mark.parametrize(
    "catalog", [SMALL_CATALOG, FILE_CATALOG, MAIL_CATALOG, WORKER_CATALOG, PARAMETER_CATALOG]
)
def test_a_catalog_that_is_put_is_the_one_that_is_loaded(
    fresh_settings: FreshSettings, catalog: dict[str, Any]
) -> None:
    seen = []
    for way in (load, put, put):
        with fresh_settings("test") as settings:
            engine = open_database(settings, "test")
            way(engine, catalog)
            seen.append(contents(engine))
            # What comes after it gets an id of its own.
            load(engine, {"items": [item("NEW-VASE", eur="1")]})
            engine.dispose()

    assert seen[1:] == [seen[0], seen[0]]
