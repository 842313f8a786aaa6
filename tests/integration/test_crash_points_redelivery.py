"""A task process that dies with a message: Celery gives it to another, and nobody waits for the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crash_site import Site, batch_of, open_site
from tests.support.invariants import broken_invariants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults

POINTS = ("after-take", "after-claim", "after-write", "after-commit", "after-announce")


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    points = ",".join(f"{point}:die:{{permits}}/{point}" for point in POINTS)
    place = tmp_path_factory.mktemp("stack")
    with open_site(module_settings, module_engine, place, points, roles=("api", "worker")) as opened:
        yield opened


@pytest.mark.parametrize("point", POINTS)
def test_a_message_whose_task_process_died_comes_again(site: Site, point: str) -> None:
    site.allow(point)

    statuses = site.statuses(site.post(batch_of(3)).headers["Location"])

    assert site.has_died(point)
    assert statuses == ["ok"] * 3
    assert broken_invariants(site.engine, at_rest=True) == {}
