"""A real worker that waits for what somebody else holds: it goes on before its task's limit ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import text

from tests.support.crash_site import Site, batch_of, open_site
from tests.support.invariants import broken_invariants
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults

TASK_SECONDS = 6


@pytest.fixture
def site(settings: Settings, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # Longer than a whole task, so that it is not the lock's own limit that ends the wait.
    limits = {"TASK_LIMIT_SECONDS": str(TASK_SECONDS), "LOCK_LIMIT_SECONDS": "60"}
    with open_site(settings, engine, tmp_path_factory.mktemp("stack"), "", **limits) as opened:
        yield opened


def children(site: Site) -> set[int]:
    """The processes that settle."""
    return {child.pid for child in psutil.Process(site.main_process()).children()}


def test_a_lock_that_is_held_for_long_ends_no_worker_and_counts_against_no_order(site: Site) -> None:
    site.results(site.post(batch_of(2)).headers["Location"])
    before = children(site)

    with site.engine.connect() as somebody:
        somebody.execute(text("SELECT FROM stock FOR UPDATE"))
        path = site.post(batch_of(1)).headers["Location"]
        pause(2.5 * TASK_SECONDS, "the lock outlasts a task's limit")
        assert site.client.get(path).json()["done"] is False
        assert children(site) == before
        somebody.rollback()

    assert site.statuses(path) == ["ok"]
    # The other process may owe one, for the time in which this one held the slice; never more than that.
    assert site.attempts(path) <= 2
    assert broken_invariants(site.engine, at_rest=True) == {}
