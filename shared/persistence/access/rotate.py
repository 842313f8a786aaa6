"""Rotation: a client is given a further key beside one that it has, so that a new secret is nobody new."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from shared.persistence.access.keys import insert_key, key_meant
from shared.persistence.core.database import transaction
from shared.persistence.core.tables import api_keys, clients

_NUMBERED = re.compile(r" \([0-9]+\)$")


@dataclass(frozen=True)
class RotatedKey:
    """A key that was made beside another one. ``text`` is the whole of it and is never stored."""

    text: str
    name: str
    client: str
    beside: str
    """The other one's prefix."""


def rotate_api_key(
    engine: Engine, name_or_prefix: str, now: datetime, *, name: str = "", lasts: timedelta | None = None
) -> RotatedKey | None:
    """Give the client of a key a further one of the same scopes and markets; None: there is no such key.

    The key itself stays as it is; it may be revoked or expired. Without ``name`` the new one has its name
    with a number behind it; without ``lasts`` it is good for as long as that one was. Raises
    KeyNameTakenError, and PersistenceError.
    """
    with transaction(engine) as connection:
        meant = key_meant(name_or_prefix)
        old = meant if meant is None else connection.execute(_with_client(meant)).one_or_none()
        if old is None:
            return None
        name = name or _free_name(connection, old.name)
        row = {
            "client_id": old.client_id,
            "name": name,
            "scopes": old.scopes,
            "market_ids": old.market_ids,
            "created_at": now,
            "expires_at": _end(old, now, lasts),
        }
        return RotatedKey(insert_key(connection, row), name, old.client, old.prefix)


def _with_client(meant: Any) -> Any:
    return (
        select(api_keys, clients.c.name.label("client"))
        .join(clients, clients.c.id == api_keys.c.client_id)
        .where(api_keys.c.id == meant)
    )


def _end(old: Row[Any], now: datetime, lasts: timedelta | None) -> datetime | None:
    if lasts is not None:
        return now + lasts
    return None if old.expires_at is None else now + (old.expires_at - old.created_at)


def _free_name(connection: Connection, name: str) -> str:
    plain = _NUMBERED.sub("", name)
    taken: Collection[str] = set(
        connection.execute(
            select(api_keys.c.name).where(api_keys.c.name.startswith(plain, autoescape=True))
        ).scalars()
    )
    return next(free for number in count(2) if (free := f"{plain} ({number})") not in taken)
