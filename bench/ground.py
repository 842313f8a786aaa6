"""The ground that all rivals stand on: one durable PostgreSQL, one Redis, a fresh database for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import psycopg
from sqlalchemy import make_url

from bench.orders import catalog
from cli.servers import open_servers, temporary_data_dir
from shared.domain.scopes import SCOPES
from shared.persistence.access.keys import create_api_key
from shared.persistence.catalog.load import load_catalog
from shared.persistence.core.database import open_database
from shared.persistence.core.migrate import migrate
from shared.schemas.catalog import read_catalog
from shared.settings import Settings

_TEMPLATE = "bench_template"


class Ground:
    """Where the servers are, and what every database holds before an order comes."""

    def __init__(self, database_url: str, redis_url: str, log_dir: Path, settings: Settings) -> None:
        self._database_url = database_url
        self._redis_url = redis_url
        self._settings = settings
        self._has_template = False
        self.log_dir = log_dir

    def new_database(self, name: str) -> str:
        """A migrated database with the bench's catalog; gives its URL."""
        if not self._has_template:
            self._make_template()
            self._has_template = True
        self._create(f'"{name}" TEMPLATE {_TEMPLATE}')
        return self._url(name)

    def _make_template(self) -> None:
        self._create(_TEMPLATE)
        engine = open_database(replace(self._settings, database_url=self._url(_TEMPLATE)), "bench")
        migrate(engine)
        rows = read_catalog(orjson.dumps(catalog()), ZoneInfo("UTC"), _silent)
        load_catalog(engine, rows, _silent)
        engine.dispose()

    def _create(self, database: str) -> None:
        with psycopg.connect(self._database_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}".encode())

    def _url(self, name: str) -> str:
        url = make_url(self._database_url).set(database=name)
        return url.render_as_string(hide_password=False)

    def prepare_for_ordermill(self, database_url: str) -> str:
        """Make an API key; gives it."""
        engine = open_database(replace(self._settings, database_url=database_url), "bench")
        key = create_api_key(engine, "bench", sorted(SCOPES), None, None, datetime.now(UTC))
        engine.dispose()
        return key

    def redis(self, number: int) -> str:
        """The URL of a Redis database."""
        return self._redis_url.partition("?")[0] + f"?db={number}"

    def redis_for_celery(self, number: int) -> str:
        """The same as Celery spells it."""
        path = self._redis_url.partition("?")[0].removeprefix("unix://")
        return f"redis+socket://{path}?virtual_host={number}"

    def sums(self, database_url: str) -> tuple[int, int, int, int]:
        """Orders, lines, units allocated by lines, units allocated in stock."""
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_lines),"
                " (SELECT COALESCE(sum(quantity), 0) FROM allocations),"
                " (SELECT COALESCE(sum(allocated), 0) FROM stock)"
            ).fetchone()
        if row is None:
            raise RuntimeError("the database gave no sums")
        return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def _silent(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@contextmanager
def open_ground() -> Iterator[Ground]:
    """Start the servers, durable (fsync and synchronous_commit on), in a directory that goes with them."""
    settings = Settings()
    with temporary_data_dir() as data_dir, open_servers(settings, data_dir, own=True) as urls:
        log_dir = data_dir / "bench-logs"
        log_dir.mkdir()
        yield Ground(urls.superuser_url, urls.redis_url, log_dir, settings)
