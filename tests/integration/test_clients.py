"""What is remembered of a client is the client's, whichever of its keys it shows (contract §1)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared import persistence
from shared.clock import utc_now
from shared.persistence.access.clients import ClientNameTakenError
from shared.persistence.access.keys import create_api_key, find_api_key, list_api_keys, revoke_api_key
from shared.persistence.access.rotate import rotate_api_key
from shared.persistence.core.errors import PermanentError, translated
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from sqlalchemy import Engine

BATCH = {"lamp": order(line("BRASS-LAMP"))}
SCOPES = ["orders:write", "orders:read"]


def rotated(shop: Shop, name: str = "Shop") -> str:
    """Give a further key of the client whose key has this name."""
    made = rotate_api_key(shop.api.engine, name, utc_now())
    assert made is not None
    return made.text


def test_a_batch_sent_again_under_a_rotated_key_is_the_same_job(shop: Shop) -> None:
    first = shop.api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    again = shop.api.post(
        BATCH, Idempotency_Key="k-1", Prefer="respond-async", API_Authorization=rotated(shop)
    )

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert shop.api.job_count() == 1


def test_a_job_is_seen_with_every_key_of_its_client_and_with_no_other(shop: Shop) -> None:
    path = shop.api.post(BATCH, Prefer="respond-async").headers["Location"]
    further = rotated(shop)
    stranger = shop.api.new_key("Stranger", *SCOPES)
    revoke_api_key(shop.api.engine, "Shop", utc_now())

    assert shop.api.get(path, further).status_code == 200
    assert shop.api.get(f"{path}/results", further).status_code == 200
    assert shop.api.get(path, stranger).status_code == 404
    assert shop.api.get(path).status_code == 401


def test_what_a_client_prepared_is_completed_by_whoever_may_write_orders_of_its_market(shop: Shop) -> None:
    prepared = shop.place(
        {"lamp": order(line("BRASS-LAMP"), createOnly=True)}, API_Authorization=rotated(shop)
    )["lamp"]["order"]
    elsewhere, stranger = shop.key_for_markets("Elsewhere", 2), shop.api.new_key("Stranger", *SCOPES)

    def complete(key: str) -> str:
        response = shop.api.client.post(
            f"/v1/order/{prepared}",
            data=b"{}",
            headers={
                "API-Authorization": key,
                "Content-Type": "application/json",
                "Prefer": "respond-async",
            },
        )
        return str(shop.settled(response.headers["Location"], key)["status"])

    assert complete(elsewhere) == "no"
    assert complete(stranger) == "ok"
    assert complete(shop.api.key) == "ok"


def test_the_keys_of_a_client_share_its_rate(shop: Shop) -> None:
    limited = shop.api.with_settings(rate_limit_per_minute=3)
    further, stranger = rotated(shop), shop.api.new_key("Stranger", *SCOPES)

    statuses = [limited.get("/v1/limits", key).status_code for key in ("", further, "", further, stranger)]

    assert statuses == [200, 200, 200, 429, 200]


def test_the_keys_of_a_client_share_what_may_be_undecided(shop: Shop) -> None:
    lamps = {f"lamp {number}": order(line("BRASS-LAMP"), comment="x" * 2_000) for number in range(30)}
    size = len(orjson.dumps(lamps))
    limited = shop.api.with_settings(undecided_max_bytes=size + size // 2)

    assert limited.post(lamps, Prefer="respond-async").status_code == 202
    assert limited.post(lamps, Prefer="respond-async", API_Authorization=rotated(shop)).status_code == 429


def test_a_rotated_key_may_what_the_other_may_and_is_good_for_as_long(engine: Engine) -> None:
    now = utc_now()
    create_api_key(engine, "web shop", SCOPES, [2, 1], now + timedelta(days=30), now)
    later = now + timedelta(days=20)

    made = rotate_api_key(engine, "web shop", later)

    assert made is not None
    old, new = list_api_keys(engine)
    assert (made.name, made.client, made.beside) == ("web shop (2)", "web shop", old.prefix)
    assert (new.client_id, new.client, new.scopes, new.market_ids) == (
        old.client_id,
        "web shop",
        frozenset(SCOPES),
        frozenset({1, 2}),
    )
    assert new.expires_at == later + timedelta(days=30)
    assert find_api_key(engine, made.text, later) is not None
    assert old.revoked_at is None


def test_a_key_is_rotated_by_its_prefix_again_and_again_and_after_it_was_revoked(engine: Engine) -> None:
    now = utc_now()
    text_of_first = create_api_key(engine, "web shop", SCOPES, None, None, now)
    revoke_api_key(engine, "web shop", now)

    names = [rotate_api_key(engine, one, now) for one in (text_of_first[:11], "web shop (2)", "web shop")]

    assert [made and made.name for made in names] == ["web shop (2)", "web shop (3)", "web shop (4)"]
    assert {key.client for key in list_api_keys(engine)} == {"web shop"}


@pytest.mark.parametrize("unknown", ["nobody", "", "\x00", "%"])
def test_what_is_no_key_is_not_rotated(engine: Engine, unknown: str) -> None:
    create_api_key(engine, "web shop", SCOPES, None, None, utc_now())

    assert rotate_api_key(engine, unknown, utc_now()) is None


def test_a_key_joins_a_client_only_where_that_is_asked_for(engine: Engine) -> None:
    now = utc_now()
    create_api_key(engine, "first", SCOPES, None, None, now, client="shop")
    create_api_key(engine, "second", SCOPES, None, None, now, client="shop")

    with pytest.raises(ClientNameTakenError):
        create_api_key(engine, "shop", SCOPES, None, None, now)

    assert [(key.client, key.name) for key in list_api_keys(engine)] == [
        ("shop", "first"),
        ("shop", "second"),
    ]


def test_a_job_is_of_the_client_that_its_key_is_of(shop: Shop) -> None:
    shop.api.new_key("Stranger", *SCOPES)
    shop.api.post(BATCH, Prefer="respond-async")

    with (
        pytest.raises(PermanentError) as refused,
        translated(),
        shop.api.engine.begin() as connection,
    ):
        connection.execute(text("UPDATE jobs SET client_id = 2"))

    assert refused.value.constraint == "jobs_client_id_fkey"


def test_each_key_that_there_was_becomes_that_of_a_client_of_its_own(engine: Engine) -> None:
    now = utc_now()
    for name in ("first", "second"):
        create_api_key(engine, name, SCOPES, None, None, now)
    scripts = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations"))
    migration = scripts.get_revision("0019").module
    with engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            migration.downgrade()
            connection.execute(text("UPDATE api_keys SET id = 7 WHERE name = 'second'"))
            migration.upgrade()

        found = connection.execute(
            text(
                "SELECT clients.id, clients.name, client_id, api_keys.id"
                " FROM clients JOIN api_keys USING (name)"
            )
        ).all()
        further = connection.execute(
            text("INSERT INTO clients (name) VALUES ('x') RETURNING id")
        ).scalar_one()
        connection.rollback()

    assert sorted(map(tuple, found)) == [(1, "first", 1, 1), (7, "second", 7, 7)]
    assert further == 8


def test_what_a_job_tells_is_its_clients_alone(shop: Shop) -> None:
    accepted = told(shop.api.post(BATCH, Prefer="respond-async"))

    assert "client" not in accepted
    assert "clientId" not in accepted
