"""The rate of a client: what it has asked for in the present minute, counted in Redis for all processes.

The API counts its requests. A worker adds the voucher codes that do not exist: whoever tries codes by the
thousand in one request is out until the minute is over, as who sends as many requests is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import redis
import structlog

from shared.queue.job_queue import KEY_PREFIX
from shared.redis_client import connect

if TYPE_CHECKING:
    from shared.settings import Settings

WINDOW_SECONDS: Final = 60

# A counter without an expiry would refuse a key for ever, so each count sees to it, not only the first.
COUNT: Final = b"""
local count = redis.call('incrby', KEYS[1], ARGV[2])
local left_ms = redis.call('pttl', KEYS[1])
if left_ms < 0 then
    left_ms = ARGV[1] * 1000
    redis.call('pexpire', KEYS[1], left_ms)
end
return {count, left_ms}
"""
"""KEYS: the client's. ARGV: the window in seconds, and how many. Gives the count and what is left in ms."""

_log = structlog.get_logger(__name__)


def rate_key(client_id: int) -> str:
    """Where the requests of a client are counted."""
    return f"{KEY_PREFIX}rate:{client_id}"


class ClientRate:
    """The worker's end of it. It connects when there is something to count, so it survives a fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis: redis.Redis | None = None
        self._redis_pid = 0

    def add(self, by_client: Mapping[int, int]) -> None:
        """Count so many for each of these clients; nothing where requests are not limited.

        Never raises for a fault of Redis: without it, requests are not counted either.
        """
        if not self._settings.rate_limit_per_minute:
            return
        counted = {client_id: count for client_id, count in by_client.items() if count}
        if not counted:
            return
        try:
            pipeline = self._connected().pipeline(transaction=False)
            for client_id, count in counted.items():
                pipeline.eval(COUNT.decode(), 1, rate_key(client_id), str(WINDOW_SECONDS), str(count))
            pipeline.execute()
        except redis.RedisError as error:
            _log.warning("unknown_codes_not_counted", client_ids=list(counted), fault=type(error).__name__)

    def _connected(self) -> redis.Redis:
        if self._redis is None or self._redis_pid != os.getpid():
            self._redis = connect(self._settings)
            self._redis_pid = os.getpid()
        return self._redis
