"""An order that ends whatever works on it: it alone is given up, and only after bounded attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crash_site import Site, batch_of, open_site
from tests.support.invariants import broken_invariants
from tests.support.orders import line, order
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults

ATTEMPTS = 2


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    points = "after-claim:die::CURSED-CLOCK,after-claim:memory::ENDLESS-SCROLL"
    place = tmp_path_factory.mktemp("stack")
    attempts = {"SLICE_ATTEMPTS_MAX": str(ATTEMPTS)}
    with open_site(module_settings, module_engine, place, points, **attempts) as opened:
        yield opened


@pytest.mark.parametrize("sku", ["CURSED-CLOCK", "ENDLESS-SCROLL"])
@pytest.mark.parametrize("orders", [1, 9])
def test_an_order_that_ends_its_worker_is_given_up_alone(site: Site, sku: str, orders: int) -> None:
    batch = {**batch_of(orders), "bad": order(line(sku)), "last": order()}

    outcomes = site.results(site.post(batch).headers["Location"])

    assert list(outcomes) == list(batch)
    bad = outcomes.pop("bad")
    assert (bad["status"], bad["code"]) == ("no", -7)
    assert f"given up after {ATTEMPTS} attempts" in bad["msg"]
    assert {outcome["status"] for outcome in outcomes.values()} == {"ok"}
    assert broken_invariants(site.engine, at_rest=True) == {}


def test_running_out_of_memory_leaves_the_workers_main_process_alone(site: Site) -> None:
    before = site.main_process()

    site.results(site.post({"bad": order(line("ENDLESS-SCROLL"))}).headers["Location"])
    pause(1, "it would have been replaced by then")

    assert site.main_process() == before
