"""Waits for locks, seen from beside: who looks by locking would be in the way of those that are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def waiting_for_locks(engine: Engine) -> int:
    """How many connections to this database wait for what somebody else has locked."""
    with engine.connect() as connection:
        return int(connection.execute(_WAITING).scalar_one())
