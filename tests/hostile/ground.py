"""What hostile checks stand on: servers that are started when the first check needs them, and a real API."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import redis

from cli.servers import open_servers
from shared.settings import Settings
from tests.support.api_process import ApiProcess, open_api_process
from tests.support.catalog_files import put
from tests.support.catalogs import SMALL_CATALOG
from tests.support.fresh_databases import FreshDatabases, make_template

_TEMPLATE = "hostile_template"

FreshSettings = Callable[[], AbstractContextManager[Settings]]
"""Gives settings with an empty, migrated database and an empty Redis."""


class Ground:
    """Gives each check a database, and an API process with the settings that it wants, of its own."""

    def __init__(self, fresh: FreshSettings) -> None:
        self._fresh = fresh

    def settings(self) -> AbstractContextManager[Settings]:
        """An empty, migrated database and an empty Redis."""
        return self._fresh()

    @contextmanager
    def api(self, **variables: str) -> Iterator[ApiProcess]:
        """``ordermill api`` with the tests' catalog; ``variables`` are its further settings.

        No worker runs: ``outcomes`` settles what was accepted, as one does.
        """
        with self.settings() as settings, open_api_process(settings, **variables) as api:
            put(api.engine, SMALL_CATALOG)
            yield api


@contextmanager
def open_ground() -> Iterator[Ground]:
    """Start servers of our own, not safe against a power cut, as soon as a check asks for a database."""
    with ExitStack() as opened:
        servers = _Servers(opened)
        yield Ground(servers.fresh)


class _Servers:
    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._databases: FreshDatabases | None = None
        self._redis_url = ""

    @contextmanager
    def fresh(self) -> Iterator[Settings]:
        databases = self._databases or self._start()
        with redis.Redis.from_url(self._redis_url) as client:
            client.flushdb()
        with databases.one() as database_url:
            yield Settings(database_url=database_url, redis_url=self._redis_url)

    def _start(self) -> FreshDatabases:
        place = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="ordermill-hostile-")))
        urls = self._opened.enter_context(open_servers(Settings(), place, own=True, durable=False))
        make_template(urls.superuser_url, _TEMPLATE)
        self._redis_url = urls.redis_url
        self._databases = FreshDatabases(urls.superuser_url, _TEMPLATE, "hostile")
        return self._databases
