"""Every kind of batch goes the same way: keyed answers, jobs, retries, options, lines (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from api.orders.kinds import PATHS
from shared.domain.kinds import JobKind
from tests.support.orders import order
from tests.support.placed_orders import told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop

STEPS = [kind for kind in JobKind if kind is not JobKind.ORDERS]
UNKNOWN = {"order": 999_999}


def an_order(shop: Shop, kind: JobKind) -> int:
    """The number of an order that a step of this kind can be taken with."""
    outcome = shop.place({"a": order(createOnly=kind is JobKind.COMPLETIONS)})["a"]
    return int(outcome["order"] if kind is JobKind.COMPLETIONS else outcome["orders"][0])


def send(shop: Shop, path: str, body: Any, media_type: str = "application/json") -> TestResponse:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"API-Authorization": shop.api.key, "Content-Type": media_type, "Prefer": "respond-async"}
    return shop.api.client.post(path, data=data, headers=headers)


def state_of(shop: Shop, number: int) -> str:
    return str(shop.api.rows("SELECT state FROM orders WHERE number = :number", number=number)[0].state)


@pytest.mark.parametrize("kind", STEPS)
def test_a_kind_is_a_job_of_its_own_and_its_rejected_elements_are_retried_as_such(
    shop: Shop, kind: JobKind
) -> None:
    number = an_order(shop, kind)
    lines = b"".join(
        orjson.dumps({key: one}) + b"\n" for key, one in (("a", {"order": number}), ("b", UNKNOWN))
    )

    job = told(send(shop, PATHS[kind].batch, lines, "application/x-ndjson"))
    outcomes = shop.settled(job["links"]["self"])
    retry = told(send(shop, f"{job['links']['self']}/retry", {"orders": {"b": UNKNOWN}}))

    assert (job["kind"], retry["kind"]) == (kind.value, kind.value)
    assert {key: outcome["status"] for key, outcome in outcomes.items()} == {"a": "ok", "b": "no"}
    again = shop.settled(retry["links"]["self"])
    assert again["b"] == outcomes["b"]


@pytest.mark.parametrize("kind", STEPS)
def test_an_atomic_batch_of_any_kind_takes_all_its_steps_or_none(shop: Shop, kind: JobKind) -> None:
    number = an_order(shop, kind)
    before = state_of(shop, number)
    path = f"{PATHS[kind].batch}?atomic=true"

    none = shop.settled(told(send(shop, path, {"a": {"order": number}, "b": UNKNOWN}))["links"]["self"])

    reasons = {key: outcome["errors"][0]["reason"] for key, outcome in none.items()}
    assert reasons == {"a": "batch_rejected", "b": "order_unknown"}
    assert state_of(shop, number) == before
    done = shop.settled(told(send(shop, path, {"a": {"order": number}}))["links"]["self"])
    assert done["a"]["status"] == "ok"
    assert state_of(shop, number) != before


@pytest.mark.parametrize("kind", STEPS)
def test_a_cancelled_batch_of_any_kind_takes_no_step(shop: Shop, kind: JobKind) -> None:
    number = an_order(shop, kind)
    before = state_of(shop, number)
    job = told(send(shop, PATHS[kind].batch, {"a": {"order": number}}))["links"]["self"]

    cancelled = told(send(shop, f"{job}/cancel", b""))

    assert (cancelled["state"], cancelled["kind"]) == ("cancelled", kind.value)
    assert shop.settled(job)["a"]["errors"][0]["reason"] == "cancelled"
    assert state_of(shop, number) == before
