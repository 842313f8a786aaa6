"""Settings of the servers behind: where PostgreSQL and Redis are, and how long they may take."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where PostgreSQL and Redis are."""

    database_url: str = setting("", "PostgreSQL, as postgresql://user:password@host/database")
    migrate_database_url: str = setting(
        "", "the same database for `ordermill migrate`, as the role that owns the tables; else DATABASE_URL"
    )
    redis_url: str = setting("", "Redis, as redis://:password@host:6379/0 or unix:///path/to/socket")


@dataclass(frozen=True, kw_only=True)
class ServerLimitSettings:
    """How many connections there are to them, and how long they may take."""

    database_pool_size: int = setting(8, "connections of one process", minimum=1)
    database_connect_seconds: int = setting(5, "limit for reaching PostgreSQL", minimum=1)
    statement_limit_seconds: int = setting(30, "limit for one SQL statement", minimum=1)
    lock_limit_seconds: int = setting(10, "limit for waiting on a row lock", minimum=1)
    redis_limit_seconds: float = setting(5.0, "limit for one Redis command; above BRPOP's 1 s", minimum=2)
