"""One PostgreSQL and one Redis for the whole test run, and a clean, migrated database for each test.

The servers are those of ``cli.servers``: the first of the parallel test processes that needs them starts
them, the others find them, and the first waits for the others before it stops them. Unit tests start none.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine

from cli.servers import ServerUrls, open_servers
from shared.persistence.core.database import open_database
from shared.settings import Settings
from tests.support.fresh_databases import FreshDatabases, make_template

# How much Hypothesis tries: enough to find an oversell at once, little enough for every run.
hypothesis_settings.register_profile(
    "ordermill",
    max_examples=100,
    # Two busy cores make any deadline a matter of luck.
    deadline=None,
    # A failure here must be a failure everywhere.
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("ordermill")

_TEMPLATE = "migrated_template"
_SERVERS_DIR = pytest.StashKey[Path]()
_REDIS_DATABASES_PER_SCOPE = 8


def pytest_configure(config: pytest.Config) -> None:
    # The tests start this program many times over; it need be compiled only once.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput"):
        # Not below pytest's own directory: as root, PostgreSQL's user could not enter it.
        config.stash[_SERVERS_DIR] = Path(tempfile.mkdtemp(prefix="ordermill-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["servers_dir"] = str(node.config.stash[_SERVERS_DIR])


def pytest_unconfigure(config: pytest.Config) -> None:
    made = config.stash.get(_SERVERS_DIR, None)
    if made is not None:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(autouse=True)
def unconfigured_logging() -> Iterator[None]:
    """A test that sets up logging, or binds a request's id, does so for itself alone.

    As long as it does not, tracebacks are plain: with the local variables of each frame one takes seconds.
    """
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[ServerUrls]:
    """The servers of this test run; not safe against a power cut, as nothing of theirs is kept."""
    worker_input = getattr(pytestconfig, "workerinput", None)
    place = Path(worker_input["servers_dir"]) if worker_input else pytestconfig.stash[_SERVERS_DIR]
    with open_servers(Settings(), place, own=False, durable=False) as found:
        # Databases are made and dropped, and tests break tables on purpose.
        urls = replace(found, database_url=found.superuser_url)
        make_template(urls.database_url, _TEMPLATE)
        yield urls


@pytest.fixture(scope="session")
def fresh_settings(servers: ServerUrls, worker_id: str) -> Callable[[str], AbstractContextManager[Settings]]:
    """Gives settings with a database and a Redis of their own; ``"module"`` and ``"test"`` do not collide."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) % _REDIS_DATABASES_PER_SCOPE
    redis_number = {"test": number, "module": number + _REDIS_DATABASES_PER_SCOPE}
    databases = FreshDatabases(servers.database_url, _TEMPLATE, worker_id)

    @contextmanager
    def fresh(scope: str) -> Iterator[Settings]:
        redis_url = servers.redis_url.replace("db=0", f"db={redis_number[scope]}")
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
        with databases.one() as database_url:
            yield Settings(database_url=database_url, redis_url=redis_url)

    return fresh


@pytest.fixture
def settings(fresh_settings: Callable[[str], AbstractContextManager[Settings]]) -> Iterator[Settings]:
    """Settings with an empty, migrated database and an empty Redis, for one test."""
    with fresh_settings("test") as made:
        yield made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The way to this test's database."""
    made = open_database(settings, "test")
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def module_settings(
    fresh_settings: Callable[[str], AbstractContextManager[Settings]],
) -> Iterator[Settings]:
    """Settings with a database and a Redis that the tests of one module share."""
    with fresh_settings("module") as made:
        yield made


@pytest.fixture(scope="module")
def module_engine(module_settings: Settings) -> Iterator[Engine]:
    """The way to this module's database."""
    made = open_database(module_settings, "test")
    yield made
    made.dispose()
