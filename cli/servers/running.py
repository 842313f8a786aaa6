"""The servers that one ordermill runs, together: started, watched, stopped."""

from __future__ import annotations

import threading

from cli.servers.area import Area
from cli.servers.claim import ServerUrls
from cli.servers.postgres import NAME as POSTGRES
from cli.servers.postgres import EmbeddedPostgres
from cli.servers.redis_server import NAME as REDIS
from cli.servers.redis_server import EmbeddedRedis, find_program
from cli.servers.sockets import remove_sockets
from shared.settings import Settings


class RunningServers:
    """The servers that we run: those that the settings do not name."""

    def __init__(self, settings: Settings, area: Area, *, durable: bool) -> None:
        self._settings = settings
        self._area = area
        self._given_up = threading.Event()
        self._servers: dict[str, EmbeddedPostgres | EmbeddedRedis] = {}
        if not settings.database_url:
            self._servers[POSTGRES] = EmbeddedPostgres(area, self._given_up, durable=durable)
        if not settings.redis_url:
            self._servers[REDIS] = EmbeddedRedis(area, find_program(), self._given_up)

    @property
    def urls(self) -> ServerUrls:
        """Where all of them are, ours and those that the settings name."""
        ours = {name: server.url for name, server in self._servers.items()}
        return ServerUrls(
            self._settings.database_url or ours[POSTGRES],
            self._settings.redis_url or ours[REDIS],
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
        remove_sockets(self._area)
