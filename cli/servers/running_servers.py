"""The servers that one ordermill runs, together: started, watched, stopped."""

from __future__ import annotations

import threading

from cli.servers.data_dir import DataDir
from cli.servers.owner_lock import ServerUrls
from cli.servers.postgres import NAME as POSTGRES
from cli.servers.postgres import EmbeddedPostgres
from cli.servers.redis_server import NAME as REDIS
from cli.servers.redis_server import EmbeddedRedis, find_program
from cli.servers.sockets import remove_sockets
from shared.settings import Settings


class RunningServers:
    """The servers that we run: those that the settings do not name."""

    def __init__(self, settings: Settings, data_dir: DataDir, *, durable: bool) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._given_up = threading.Event()
        self._postgres: EmbeddedPostgres | None = None
        if not settings.database_url:
            self._postgres = EmbeddedPostgres(data_dir, self._given_up, durable=durable)
        self._redis: EmbeddedRedis | None = None
        if not settings.redis_url:
            self._redis = EmbeddedRedis(data_dir, find_program(), self._given_up)
        both = {POSTGRES: self._postgres, REDIS: self._redis}
        self._servers = {name: server for name, server in both.items() if server is not None}

    @property
    def urls(self) -> ServerUrls:
        """Where all of them are, ours and those that the settings name."""
        redis_url = self._settings.redis_url if self._redis is None else self._redis.url
        if self._postgres is None:
            return ServerUrls(self._settings.database_url, redis_url, self._settings.migrate_database_url)
        return ServerUrls(
            self._postgres.urls.plain, redis_url, self._postgres.urls.owner, self._postgres.urls.superuser
        )

    def revive(self) -> list[str]:
        """Start again what has died, at the same URL, and name it. Raises ServersError."""
        dead = [name for name, server in self._servers.items() if not server.running]
        for name in dead:
            self._servers[name].start()
        return dead

    def give_up(self) -> None:
        """Have a start that is under way in another thread end soon: it raises ServersError."""
        self._given_up.set()

    def stop(self) -> None:
        """Stop them in order, and take their sockets away."""
        for server in self._servers.values():
            server.stop()
        remove_sockets(self._data_dir)
