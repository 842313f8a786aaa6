"""A client of Redis for hints and counts: bounded in every wait, and never trying again by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from shared.settings import Settings


def connect(settings: Settings) -> redis.Redis:
    """A client of this process: connections do not survive a fork. It connects when it is first asked."""
    options: dict[str, Any] = {
        # Without it a half-open connection stops its user for good.
        "socket_timeout": settings.redis_limit_seconds,
        "socket_connect_timeout": settings.redis_limit_seconds,
        # Trying again is its user's to decide: by a back-off of its own, or not at all for a hint.
        "retry": Retry(NoBackoff(), 0),
    }
    if not settings.redis_url.startswith("unix:"):
        options["socket_keepalive"] = True
    client: redis.Redis = redis.Redis.from_url(settings.redis_url, **options)
    return client
