"""ordermill keys, against the real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from shared.persistence.access.keys import find_api_key, list_api_keys
from tests.support.catalog_files import put
from tests.support.catalogs import FILE_CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from shared.settings import Settings


@pytest.fixture
def keys(settings: Settings) -> Callable[..., Result]:
    runner = CliRunner(env={"DATABASE_URL": settings.database_url})
    return lambda *words: runner.invoke(main, ["keys", *words])


def test_create_prints_the_key_alone_on_standard_output(keys: Callable[..., Result], engine: Engine) -> None:
    made = keys("create", "--name", "web shop", "--scopes", "orders:write, orders:read")

    assert made.exit_code == 0
    found = find_api_key(engine, made.stdout.removesuffix("\n"), datetime.now(UTC))
    assert found is not None
    assert found.scopes == {"orders:write", "orders:read"}
    assert found.market_ids is None


def test_a_key_may_be_limited_to_markets_and_days(keys: Callable[..., Result], engine: Engine) -> None:
    put(engine, FILE_CATALOG)

    made = keys(
        *("create", "--name", "n", "--scopes", "orders:write"),
        *("--markets", "Europe,America", "--expires-in-days", "30"),
    )

    assert made.exit_code == 0
    (key,) = list_api_keys(engine)
    assert key.market_ids is not None
    assert len(key.market_ids) == 2
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - datetime.now(UTC) <= timedelta(days=30)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--markets", "Europe,Mars"), "No such market: 'Mars'. There are: America, Europe."),
        (("--markets", ","), "--markets names none; leave it out for all."),
    ],
)
def test_unknown_markets_make_no_key(
    keys: Callable[..., Result], engine: Engine, words: tuple[str, ...], sentence: str
) -> None:
    put(engine, FILE_CATALOG)

    made = keys("create", "--name", "n", "--scopes", "orders:write", *words)

    assert (made.exit_code, made.stdout) == (2, "")
    assert sentence in made.stderr
    assert list_api_keys(engine) == []


def test_a_name_that_is_taken_makes_no_key(keys: Callable[..., Result]) -> None:
    keys("create", "--name", "web shop", "--scopes", "orders:write")

    again = keys("create", "--name", "web shop", "--scopes", "orders:read")

    assert (again.exit_code, again.stdout) == (2, "")
    assert "A key is named 'web shop' already" in again.stderr


def test_the_list_shows_no_secret(keys: Callable[..., Result], engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    key = keys(
        "create", "--name", "web shop", "--scopes", "orders:write", "--markets", "Europe"
    ).stdout.strip()

    plain, as_json = keys("list"), keys("list", "--json")

    assert plain.stdout == f"web shop\tweb shop\t{key[:11]}\tactive\torders:write\tEurope\tnever\n"
    (listed,) = json.loads(as_json.stdout)
    assert listed["prefix"] == key[:11]
    assert listed["markets"] == ["Europe"]
    assert key[12:] not in plain.output + as_json.output


def test_a_revoked_key_is_nobody(keys: Callable[..., Result], engine: Engine) -> None:
    key = keys("create", "--name", "web shop", "--scopes", "orders:write").stdout.strip()

    revoked = keys("revoke", key[:11])

    assert revoked.exit_code == 0
    assert find_api_key(engine, key, datetime.now(UTC)) is None


def test_rotating_prints_a_further_key_of_the_same_client(
    keys: Callable[..., Result], engine: Engine
) -> None:
    first = keys("create", "--name", "web shop", "--scopes", "orders:write").stdout.strip()

    made = keys("rotate", first[:11])

    assert made.exit_code == 0
    found = [find_api_key(engine, key, datetime.now(UTC)) for key in (first, made.stdout.removesuffix("\n"))]
    assert [one and one.client_id for one in found] == [1, 1]
    assert f"`ordermill keys revoke {first[:11]}`" in made.stderr


def test_rotating_what_is_not_there_or_into_a_name_that_is_taken_is_not_done(
    keys: Callable[..., Result],
) -> None:
    keys("create", "--name", "web shop", "--scopes", "orders:write")

    nobody, taken = keys("rotate", "nobody"), keys("rotate", "web shop", "--name", "web shop")

    assert (nobody.exit_code, nobody.stdout) == (taken.exit_code, taken.stdout) == (2, "")
    assert "No key has the name or prefix 'nobody'" in nobody.stderr
    assert "A key is named 'web shop' already" in taken.stderr


def test_keys_are_listed_by_client(keys: Callable[..., Result]) -> None:
    keys("create", "--name", "a", "--scopes", "orders:write", "--client", "shop")
    keys("create", "--name", "b", "--scopes", "orders:write")
    keys("create", "--name", "c", "--scopes", "orders:write", "--client", "shop")

    everybody, one = keys("list"), keys("list", "--client", "shop", "--json")

    assert [row.split("\t")[:2] for row in everybody.stdout.splitlines()] == [
        ["shop", "a"],
        ["shop", "c"],
        ["b", "b"],
    ]
    assert [key["name"] for key in json.loads(one.stdout)] == ["a", "c"]


def test_a_client_is_joined_only_where_it_is_named(keys: Callable[..., Result]) -> None:
    keys("create", "--name", "a", "--scopes", "orders:write", "--client", "shop")

    made = keys("create", "--name", "shop", "--scopes", "orders:write")

    assert (made.exit_code, made.stdout) == (2, "")
    assert "`--client shop` makes it a further key of that client" in made.stderr


def test_revoking_an_unknown_key_fails(keys: Callable[..., Result]) -> None:
    revoked = keys("revoke", "nobody")

    assert revoked.exit_code == 2
    assert "No key has the name or prefix 'nobody'" in revoked.stderr
