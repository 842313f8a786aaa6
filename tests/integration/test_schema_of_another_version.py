"""A role meets the schema of another version: it decides nothing, says why, and goes on when it is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from shared.persistence.core.database import open_database, ping
from shared.persistence.core.migrate import migrate
from shared.persistence.core.schema_version import SchemaError, revisions
from tests.support.api import open_api
from tests.support.orders import order
from tests.support.settling import LeftError, settle_slice
from tests.support.worker_harness import WorkerHarness
from worker.context import open_worker_context

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.settings import Settings


@pytest.fixture
def role(settings: Settings) -> Iterator[Engine]:
    made = open_database(settings, "test", needs_schema=True)
    yield made
    made.dispose()


def set_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


def test_our_own_schema_is_worked_with(role: Engine) -> None:
    ping(role)


def note(engine: Engine, note: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{note}'"))


def test_a_schema_before_our_migration_is_waited_for(engine: Engine, role: Engine) -> None:
    set_revision(engine, revisions().known[0])

    told = r"schema is 0001, and this ordermill needs \w+: `ordermill migrate` brings it up"
    with pytest.raises(SchemaError, match=told):
        ping(role)

    set_revision(engine, revisions().head)
    ping(role)


def test_a_database_without_a_schema_is_waited_for(engine: Engine, role: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE alembic_version RENAME TO gone"))

    with pytest.raises(SchemaError, match="has no schema yet: `ordermill migrate` makes it"):
        ping(role)

    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO alembic_version"))


def test_a_schema_of_a_later_version_is_waited_for(engine: Engine, role: Engine) -> None:
    set_revision(engine, "9999")
    note(engine, "9999 serves 9999")

    with pytest.raises(SchemaError, match="schema is 9999, of another version, and this ordermill knows"):
        ping(role)


def test_a_schema_of_a_later_version_that_serves_ours_is_worked_with(engine: Engine, role: Engine) -> None:
    set_revision(engine, "9999")
    note(engine, f"9999 serves {revisions().known[-2]}")

    ping(role)


def test_a_migration_leaves_word_of_whom_its_schema_serves(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("COMMENT ON TABLE alembic_version IS NULL"))
    migrate(engine)

    with engine.connect() as connection:
        left = connection.execute(text("SELECT obj_description('alembic_version'::regclass)")).scalar_one()
    assert left == f"{revisions().head} serves {revisions().serves}"


def test_a_worker_decides_nothing_on_the_schema_of_another_version(
    worker: WorkerHarness, settings: Settings
) -> None:
    worker.stock("BRASS-LAMP", main=10)
    (slice_id,) = worker.accept({"a": order()})
    set_revision(worker.engine, revisions().known[0])
    context = open_worker_context(settings)

    with pytest.raises(LeftError, match="`ordermill migrate`"):
        settle_slice(context, slice_id)
    assert worker.outcomes() == {}

    set_revision(worker.engine, revisions().head)
    settle_slice(context, slice_id)
    assert worker.outcomes()["a"]["status"] == "ok"
    context.engine.dispose()


def test_the_api_is_alive_but_not_ready_and_accepts_nothing(settings: Settings, engine: Engine) -> None:
    set_revision(engine, revisions().known[0])
    with open_api(settings) as api:
        ready, posted = api.get("/readyz"), api.post({"a": {}})

        assert api.get("/healthz").status_code == 200
        assert ready.status_code == posted.status_code == 503
        assert ready.json is not None
        assert "`ordermill migrate`" in ready.json["database"]["why"]

        set_revision(engine, revisions().head)
        assert api.get("/readyz").json["database"] == {"ok": True}  # type: ignore[index]  # the answer is JSON
        assert api.post({"a": {}}).status_code in {200, 202}
