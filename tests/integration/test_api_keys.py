"""API keys in the real PostgreSQL."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from shared.persistence.access.keys import (
    KeyNameTakenError,
    create_api_key,
    find_api_key,
    list_api_keys,
    make_key,
    market_ids_by_name,
    revoke_api_key,
)
from tests.support.catalog_files import put, rows
from tests.support.catalogs import FILE_CATALOG

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def test_a_key_is_found_with_what_it_may(engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    europe = market_ids_by_name(engine)["Europe"]

    text = create_api_key(engine, "web shop", ["orders:write", "orders:read"], [europe], None, NOW)

    found = find_api_key(engine, text, NOW)
    assert found is not None
    assert (found.name, found.prefix) == ("web shop", text[:11])
    assert found.scopes == {"orders:read", "orders:write"}
    assert found.market_ids == frozenset({europe})


def test_a_key_is_readable_at_its_start_and_random_in_the_rest() -> None:
    texts = {make_key().text for _ in range(200)}

    assert len(texts) == 200
    assert all(re.fullmatch(r"om_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", text) for text in texts)


def test_only_the_hash_of_a_key_is_kept(engine: Engine) -> None:
    text = create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)

    ((prefix, kept),) = rows(engine, "SELECT prefix, hash FROM api_keys")
    assert bytes(kept) == hashlib.sha256(text.encode()).digest()
    assert prefix == text[:11]
    assert text[12:] not in str(rows(engine, "SELECT api_keys::text FROM api_keys"))


def test_a_name_is_given_once_even_after_its_key_is_revoked(engine: Engine) -> None:
    create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)
    revoke_api_key(engine, "web shop", NOW)

    with pytest.raises(KeyNameTakenError):
        create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)

    assert len(list_api_keys(engine)) == 1


def test_a_key_is_good_until_just_before_it_expires(engine: Engine) -> None:
    expires_at = NOW + timedelta(days=1)
    text = create_api_key(engine, "trial", ["orders:read"], None, expires_at, NOW)

    assert find_api_key(engine, text, expires_at - timedelta(microseconds=1)) is not None
    assert find_api_key(engine, text, expires_at) is None


@pytest.mark.parametrize("by", ["web shop", "prefix", "short prefix"])
def test_a_key_is_revoked_by_name_or_prefix(engine: Engine, by: str) -> None:
    text = create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)
    other = create_api_key(engine, "other", ["orders:write"], None, None, NOW)
    meant = {"prefix": text[:11], "short prefix": text[3:11]}.get(by, by)

    assert revoke_api_key(engine, meant, NOW)

    assert find_api_key(engine, text, NOW) is None
    assert find_api_key(engine, other, NOW) is not None


def test_a_name_counts_before_the_prefix_of_another_key(engine: Engine) -> None:
    first = create_api_key(engine, "first", ["orders:write"], None, None, NOW)
    second = create_api_key(engine, first[:11], ["orders:write"], None, None, NOW)

    revoke_api_key(engine, first[:11], NOW)

    assert find_api_key(engine, first, NOW) is not None
    assert find_api_key(engine, second, NOW) is None


def test_revoking_again_keeps_the_first_moment(engine: Engine) -> None:
    create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)
    revoke_api_key(engine, "web shop", NOW)

    assert revoke_api_key(engine, "web shop", NOW + timedelta(days=1))

    assert list_api_keys(engine)[0].revoked_at == NOW


@pytest.mark.parametrize("unknown", ["nobody", "", "om_", "\x00", "%", "😀"])
def test_what_is_not_there_cannot_be_revoked(engine: Engine, unknown: str) -> None:
    create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)

    assert not revoke_api_key(engine, unknown, NOW)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "\x00",
        "om_abcdefgh_\x00" + "a" * 42,
        "om_abcdefgh_" + "a" * 43,
        "om_abcdefgh_" + "ä" * 43,
        "om_٣٣٣٣٣٣٣٣_" + "a" * 43,
        "om_NOBODY00_" + "0" * 43,
        "om_abcdefgh_" + "a" * 43 + "\n",
        "\ud800",
        "' OR 1=1 --",
        "a" * 1_000_000,
    ],
)
def test_whatever_is_presented_instead_of_a_key_is_nobody(engine: Engine, presented: str) -> None:
    create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)

    assert find_api_key(engine, presented, NOW) is None


def test_the_right_prefix_with_another_secret_is_nobody(engine: Engine) -> None:
    text = create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)
    last = "A" if text[-1] != "A" else "B"

    assert find_api_key(engine, text[:-1] + last, NOW) is None


@pytest.mark.parametrize("presented", ["right", "om_abcdefgh_" + "a" * 43, "nonsense"])
def test_finding_a_key_is_one_statement_right_or_wrong(engine: Engine, presented: str) -> None:
    text = create_api_key(engine, "web shop", ["orders:write"], None, None, NOW)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    find_api_key(engine, text if presented == "right" else presented, NOW)

    assert len(statements) == 1
    assert "WHERE api_keys.prefix =" in statements[0]


def test_the_list_has_every_key_and_its_state(engine: Engine) -> None:
    for name, expires_at in (("good", None), ("old", NOW), ("gone", None)):
        create_api_key(engine, name, ["orders:read"], None, expires_at, NOW)
    revoke_api_key(engine, "gone", NOW)

    listed = [(key.name, key.state(NOW)) for key in list_api_keys(engine)]

    assert listed == [("good", "active"), ("old", "expired"), ("gone", "revoked")]
