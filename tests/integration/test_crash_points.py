"""A process dies at one exact point of a batch's way, once; then every key has exactly one outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.failpoints import POINTS
from tests.support.crash_site import Site, batch_of, open_site
from tests.support.invariants import broken_invariants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.settings import Settings

pytestmark = pytest.mark.faults

# A worker that dies with a slice in its hand: the attempt stays counted, and another one follows.
DIES_WITH_THE_SLICE = {"after-take", "after-claim", "after-write"}


@pytest.fixture(scope="module")
def site(
    module_settings: Settings, module_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    points = ",".join(f"{point}:die:{{permits}}/{point}" for point in POINTS)
    with open_site(module_settings, module_engine, tmp_path_factory.mktemp("stack"), points) as opened:
        yield opened


@pytest.mark.parametrize("orders", [3, 10])
@pytest.mark.parametrize("point", [point for point in POINTS if point != "after-due"])
def test_a_death_at_a_failpoint_costs_no_order(site: Site, point: str, orders: int) -> None:
    batch = batch_of(orders)
    site.allow(point)

    path = site.post(batch).headers["Location"]
    outcomes = site.results(path)

    assert site.has_died(point)
    assert list(outcomes) == list(batch)
    assert {outcome["status"] for outcome in outcomes.values()} == {"ok"}
    assert (site.attempts(path) > 1) == (point in DIES_WITH_THE_SLICE)
    assert broken_invariants(site.engine, at_rest=True) == {}


@pytest.mark.parametrize("point", ["after-insert", "after-take", "after-write", "after-commit"])
def test_a_death_neither_stops_an_ordered_batch_nor_changes_its_order(site: Site, point: str) -> None:
    batch = batch_of(20)
    site.allow(point)

    path = site.post(batch, "?ordered=true").headers["Location"]
    outcomes = site.results(path)

    assert site.has_died(point)
    numbers = [outcome["orders"][0] for outcome in outcomes.values()]
    assert (list(outcomes), numbers) == (list(batch), sorted(numbers))
    assert broken_invariants(site.engine, at_rest=True) == {}


@pytest.mark.parametrize("completions", [3, 10])
@pytest.mark.parametrize("point", [point for point in POINTS if point != "after-due"])
def test_a_death_at_a_failpoint_completes_each_order_once(site: Site, point: str, completions: int) -> None:
    orders = {key: {**one, "createOnly": True} for key, one in batch_of(completions).items()}
    prepared = site.results(site.post(orders).headers["Location"])
    paid = {"capture": {"status": 1, "amount": 5, "transaction": "T-77"}}
    batch = {key: {"order": outcome["order"], "payment": paid} for key, outcome in prepared.items()}
    site.allow(point)

    outcomes = site.results(site.post(batch, path="/v1/completions").headers["Location"])

    assert site.has_died(point)
    assert {key: outcome["orders"] for key, outcome in outcomes.items()} == {
        key: [one["order"]] for key, one in batch.items()
    }
    assert site.payments([one["order"] for one in batch.values()]) == completions
    assert broken_invariants(site.engine, at_rest=True) == {}


@pytest.mark.parametrize("options", ["atomic=true", "validateOnly=true", "validateOnly=true&atomic=true"])
@pytest.mark.parametrize("point", ["after-insert", "after-take", "after-write", "after-commit"])
def test_a_death_leaves_no_order_of_a_batch_that_is_rejected_whole_or_dry(
    site: Site, point: str, options: str
) -> None:
    # Several dry slices; and one that is atomic.
    batch = {**batch_of(50), "bad": {}}
    orders = site.count("orders")
    site.allow(point)

    path = site.post(batch, f"?{options}").headers["Location"]
    outcomes = site.results(path)

    assert site.has_died(point)
    reasons = {one["errors"][0]["reason"] if one["status"] == "no" else "ok" for one in outcomes.values()}
    assert list(outcomes) == list(batch)
    assert reasons == {"batch_rejected" if "atomic" in options else "ok", "order_empty"}
    assert site.count("orders") == orders
    assert broken_invariants(site.engine, at_rest=True) == {}


@pytest.mark.parametrize("point", ["after-take", "after-write", "after-commit"])
def test_a_death_leaves_an_atomic_batch_whole(site: Site, point: str) -> None:
    orders = site.count("orders")
    site.allow(point)

    statuses = site.statuses(site.post(batch_of(30), "?atomic=true").headers["Location"])

    assert site.has_died(point)
    assert statuses == ["ok"] * 30
    assert site.count("orders") == orders + 30
    assert broken_invariants(site.engine, at_rest=True) == {}


def test_a_worker_that_dies_when_too_much_is_rejected_leaves_a_job_that_decides_nothing_more(
    site: Site,
) -> None:
    batch: dict[str, Any] = {f"k{n}": {} for n in range(20)}
    site.allow("after-commit")

    path = site.post(batch, "?ordered=true&maxFailed=0").headers["Location"]
    outcomes = site.results(path)

    assert site.has_died("after-commit")
    reasons = [outcome["errors"][0]["reason"] for outcome in outcomes.values()]
    assert reasons == ["order_empty"] * 4 + ["cancelled"] * 16
    assert site.client.get(path).json()["state"] == "cancelled"
    assert broken_invariants(site.engine, at_rest=True) == {}


@pytest.mark.parametrize("point", ["after-claim", "after-write", "after-commit"])
def test_a_death_takes_no_key_from_its_order_and_makes_none_a_second(site: Site, point: str) -> None:
    batch = {f"{point} {key}": one for key, one in batch_of(6).items()}
    site.allow(point)

    first = site.results(site.post(batch, "?uniqueKeys=true").headers["Location"])
    again = site.results(site.post(batch, "?uniqueKeys=true").headers["Location"])

    assert site.has_died(point)
    assert {one["status"] for one in first.values()} == {"ok"}
    assert {key: (one["code"], one["orders"]) for key, one in again.items()} == {
        key: (-5, one["orders"]) for key, one in first.items()
    }
    assert broken_invariants(site.engine, at_rest=True) == {}


def test_a_scheduler_that_dies_with_due_slices_in_its_hand_costs_nothing(site: Site) -> None:
    # The API's message is never sent, so only the scheduler can bring the slices to a worker.
    site.allow("after-insert")
    site.allow("after-due")

    statuses = site.statuses(site.post(batch_of(3)).headers["Location"])

    assert site.has_died("after-insert")
    assert site.has_died("after-due")
    assert statuses == ["ok"] * 3
    assert broken_invariants(site.engine, at_rest=True) == {}
