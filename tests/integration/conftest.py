"""What integration tests share, beside the servers and databases of every test.

``module_`` stands before what the tests of one module share. A module that needs more of a fixture has one of
the same name that takes it and adds to it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cli.servers import temporary_data_dir
from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key, find_api_key
from shared.queue.job_queue import JobQueue
from tests.support.api import ApiClient, open_api
from tests.support.invariants import broken_invariants
from tests.support.mail_shop import MailShop, Postbox, open_mail_shop
from tests.support.parameter_shop import open_parameter_shop
from tests.support.placed_orders import Shop, open_shop
from tests.support.worker_harness import WorkerHarness, open_worker_harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


@pytest.fixture
def nothing_is_broken(shop: Shop) -> Iterator[None]:
    """What must always hold of the shop does so in the end."""
    yield
    assert broken_invariants(shop.api.engine) == {}


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
def own_parameter_shop(settings: Settings) -> Iterator[Shop]:
    """As the parameter shop, for one test."""
    with open_parameter_shop(settings) as opened:
        yield opened


@pytest.fixture
def stock_key(shop: Shop) -> str:
    """A key that may read and set stock."""
    return shop.api.new_key("Stock", "stock:read", "stock:write")


@pytest.fixture(scope="module")
def mail_shop(module_settings: Settings) -> Iterator[MailShop]:
    """A shop that places orders, and sends their confirmations when told to."""
    with open_mail_shop(module_settings) as opened:
        yield opened


@pytest.fixture
def postbox() -> Postbox:
    """What a mail server takes, and says."""
    return Postbox()


@pytest.fixture
def bare_worker(settings: Settings) -> Iterator[WorkerHarness]:
    """A worker without Celery, in whose database anything may be left."""
    with open_worker_harness(settings) as opened:
        yield opened


@pytest.fixture
def worker(bare_worker: WorkerHarness) -> Iterator[WorkerHarness]:
    """A worker without Celery. What must always hold does so in the end."""
    yield bare_worker
    assert broken_invariants(bare_worker.engine) == {}


@pytest.fixture
def plenty_of_lamps(worker: WorkerHarness) -> WorkerHarness:
    """The worker, with more lamps than anybody orders."""
    worker.stock("BRASS-LAMP", main=10_000)
    return worker


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    """The queue, as the API and the scheduler have it."""
    with closing(JobQueue(settings)) as opened:
        yield opened


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A directory for servers; making a cluster takes longer than most that is done with it."""
    with temporary_data_dir() as made:
        yield made


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """A directory for servers, for one test."""
    with temporary_data_dir() as made:
        yield made
