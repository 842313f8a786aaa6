"""API keys: made once, shown once, kept as a hash, found by their readable start.

A key is ``om_<prefix>_<secret>``: 8 characters that may stand in logs and lists, and 256 random bits. Against
so many bits guessing is hopeless whatever the hash costs, so a single SHA-256 is kept, not a slow password
hash: it is computed on every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    ScalarSelect,
    func,
    insert,
    or_,
    select,
    update,
)

from shared.persistence.access.clients import find_or_make_client, make_client
from shared.persistence.core.database import autocommit, transaction
from shared.persistence.core.errors import PermanentError, translated
from shared.persistence.core.tables import api_keys, clients, markets

_PREFIX_CHARS: Final = 8
_PREFIX_ALPHABET: Final = string.ascii_lowercase + string.digits
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"(om_[a-z0-9]{8})_[A-Za-z0-9_-]{43}", re.ASCII)

# Stands in for whatever is not even shaped like a key, so that refusing takes the same steps: no key has its
# prefix, for prefixes have no capitals.
_NOBODY: Final = "om_NOBODY00_" + "0" * 43
_NO_HASH: Final = bytes(32)


class KeyNameTakenError(Exception):
    """Another key, perhaps a revoked one, has this name."""


@dataclass(frozen=True)
class NewKey:
    """A key just made. ``text`` is the whole of it and is never stored."""

    text: str
    prefix: str
    hash: bytes


@dataclass(frozen=True)
class ApiKey:
    """Who is asking and what they may. ``market_ids`` None: every market."""

    id: int
    client_id: int
    name: str
    prefix: str
    scopes: frozenset[str]
    market_ids: frozenset[int] | None


@dataclass(frozen=True)
class ListedKey(ApiKey):
    """A key as it is shown to the one who hands them out, with its client's name."""

    client: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """``active``, ``expired`` or ``revoked``, at ``now``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def make_key() -> NewKey:
    """Make a key from the operating system's randomness."""
    prefix = "om_" + "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(_PREFIX_CHARS))
    text = f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewKey(text, prefix, _hash(text))


def create_api_key(
    engine: Engine,
    name: str,
    scopes: Iterable[str],
    market_ids: Iterable[int] | None,
    expires_at: datetime | None,
    now: datetime,
    *,
    client: str = "",
) -> str:
    """Store a new key and return its text, which nobody can read again later.

    It is a further one of ``client``, who is made where there is none of that name; ``""``: of a new client
    that is named as the key is. Raises KeyNameTakenError, ClientNameTakenError, and PersistenceError for
    faults of the database.
    """
    row = {
        "name": name,
        "scopes": sorted(set(scopes)),
        "market_ids": None if market_ids is None else sorted(set(market_ids)),
        "created_at": now,
        "expires_at": expires_at,
    }
    with transaction(engine) as connection:
        if connection.execute(select(api_keys.c.id).where(api_keys.c.name == name)).first() is not None:
            raise KeyNameTakenError(name)
        owner = find_or_make_client(connection, client) if client else make_client(connection, name)
        return insert_key(connection, {"client_id": owner, **row})


def insert_key(connection: Connection, row: Mapping[str, Any]) -> str:
    """Store a new key with these columns, and return its text. Raises KeyNameTakenError."""
    key = make_key()
    try:
        with translated():
            connection.execute(insert(api_keys), {**row, "prefix": key.prefix, "hash": key.hash})
    except PermanentError as error:
        if error.constraint == "api_keys_name_key":
            raise KeyNameTakenError(row["name"]) from error
        raise
    return key.text


def find_api_key(engine: Engine, presented: str, now: datetime) -> ApiKey | None:
    """Find the key that ``presented`` is; None if it is unknown, revoked or expired at ``now``.

    One indexed read. ``presented`` may be anything at all; whatever is wrong with it, the same steps are
    taken. Raises PersistenceError.
    """
    shaped = _KEY.fullmatch(presented)
    text, prefix = (presented, shaped[1]) if shaped else (_NOBODY, _NOBODY[:11])
    query = select(api_keys).where(api_keys.c.prefix == prefix)
    with autocommit(engine) as connection:
        row = connection.execute(query).one_or_none()
    same = hmac.compare_digest(_hash(text), row.hash if row else _NO_HASH)
    if row is None or not same or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    return ApiKey(row.id, row.client_id, row.name, row.prefix, frozenset(row.scopes), _ids(row.market_ids))


def list_api_keys(engine: Engine) -> list[ListedKey]:
    """List every key ever made, the revoked and expired too: by client, in the order in which they were made.

    Raises PersistenceError.
    """
    query = (
        select(api_keys, clients.c.name.label("client"))
        .join(clients, clients.c.id == api_keys.c.client_id)
        .order_by(api_keys.c.client_id, api_keys.c.id)
    )
    with transaction(engine) as connection:
        rows = connection.execute(query).all()
    return [
        ListedKey(
            row.id,
            row.client_id,
            row.name,
            row.prefix,
            frozenset(row.scopes),
            _ids(row.market_ids),
            row.client,
            row.created_at,
            row.expires_at,
            row.revoked_at,
        )
        for row in rows
    ]


def revoke_api_key(engine: Engine, name_or_prefix: str, now: datetime) -> bool:
    """Revoke one key from ``now`` on; whether there is such a key. A name counts before another key's prefix.

    A key that is revoked already stays revoked since then. Raises PersistenceError.
    """
    meant = key_meant(name_or_prefix)
    if meant is None:
        return False
    revoking = (
        update(api_keys)
        .where(api_keys.c.id == meant)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, now))
    )
    with transaction(engine) as connection:
        return connection.execute(revoking).rowcount == 1


def key_meant(name_or_prefix: str) -> ScalarSelect[int] | None:
    """The id of the key of this name, or else of this prefix, as a query; None where nothing can have it."""
    # PostgreSQL's text has no such character, and says so with an error.
    if "\x00" in name_or_prefix:
        return None
    return (
        select(api_keys.c.id)
        .where(or_(api_keys.c.name == name_or_prefix, _prefix_is(name_or_prefix)))
        .order_by((api_keys.c.name == name_or_prefix).desc())
        .limit(1)
        .scalar_subquery()
    )


def market_ids_by_name(engine: Engine) -> dict[str, int]:
    """Read the markets that a key can be limited to, name → id. Raises PersistenceError."""
    with transaction(engine) as connection:
        rows = connection.execute(select(markets.c.name, markets.c.id).order_by(markets.c.name)).all()
    return {row.name: row.id for row in rows}


def _prefix_is(text: str) -> ColumnElement[bool]:
    return api_keys.c.prefix.in_([text, f"om_{text}"])


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


def _ids(found: list[int] | None) -> frozenset[int] | None:
    return None if found is None else frozenset(found)
