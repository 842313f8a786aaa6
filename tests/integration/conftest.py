"""What integration tests share, beside the servers and databases of every test.

``module_`` stands before what the tests of one module share. A module that needs more of a fixture has one of
the same name that adds to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key, find_api_key
from tests.support.api import ApiClient, open_api
from tests.support.invariants import broken_invariants
from tests.support.parameter_shop import open_parameter_shop
from tests.support.placed_orders import Shop, open_shop
from tests.support.worker_harness import WorkerHarness, open_worker_harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings


@pytest.fixture
def api_key_id(engine: Engine) -> int:
    key = create_api_key(engine, "Shop", ["orders:write"], None, None, utc_now())
    found = find_api_key(engine, key, utc_now())
    assert found is not None
    return found.id


@pytest.fixture
def api(settings: Settings) -> Iterator[ApiClient]:
    """The API in this process, with a key, and no orders decided."""
    with open_api(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_api(module_settings: Settings) -> Iterator[ApiClient]:
    """The API in this process, with a key, and no orders decided."""
    with open_api(module_settings) as opened:
        yield opened


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The API, a small catalog, and a worker of this thread."""
    with open_shop(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_shop(module_settings: Settings) -> Iterator[Shop]:
    """The API, a small catalog, and a worker of this thread."""
    with open_shop(module_settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def parameter_shop(module_settings: Settings) -> Iterator[Shop]:
    """The API, a catalog with something in each of its lists, and a worker of this thread."""
    with open_parameter_shop(module_settings) as opened:
        yield opened


@pytest.fixture
def worker(settings: Settings) -> Iterator[WorkerHarness]:
    """A worker without Celery. What must always hold does so in the end."""
    with open_worker_harness(settings) as opened:
        yield opened
        assert broken_invariants(opened.engine) == {}
