"""POST /v1/order: one order, the same path through a job, answered with its bare outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.support.parameter_shop import (
    line,
    open_parameter_shop,
    order,
    promised,
    working,
)
from tests.support.placed_orders import told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from shared.settings import Settings
    from tests.support.placed_orders import Shop


@pytest.fixture(scope="module")
def shop(module_settings: Settings) -> Iterator[Shop]:
    with open_parameter_shop(module_settings) as made:
        yield made


def post(shop: Shop, sent: Any, **headers: str) -> TestResponse:
    return shop.door.client.post(
        "/v1/order",
        data=sent if isinstance(sent, bytes) else orjson.dumps(sent),
        headers={"API-Authorization": shop.door.key, "Content-Type": "application/json", **headers},
    )


def test_one_order_is_answered_with_its_bare_outcome(shop: Shop) -> None:
    with working(shop):
        response = post(shop, order(poNumber="PO-1"))

    assert response.status_code == 200
    [number] = told(response)["orders"]
    assert told(response) == {"status": "ok", "orders": [number]}
    [found] = shop.orders(f"?order={number}")
    assert (found["poNumber"], found["batchKey"]) == ("PO-1", "")
    assert response.headers["Location"] == f"/v1/jobs/{found['jobId']}"


def test_one_prepared_order_is_answered_with_its_number(shop: Shop) -> None:
    with working(shop):
        outcome = told(post(shop, order(createOnly=True)))

    assert outcome == {"status": "ok", "order": outcome["order"]}


@pytest.mark.parametrize(
    ("sent", "code", "pointer"),
    [
        ({}, -3, "/products"),
        (order(address=None), -4, "/address"),
        (order(market="Asia"), -7, "/market"),
        (order(line("NO-LAMP")), -1, "/products/0/sku"),
        (order(customerId=999), -6, "/customerId"),
        (order(line("SOLD-OUT-VASE")), -2, "/products/0"),
    ],
)
def test_one_rejected_order_is_a_200_with_the_bare_rejection(
    shop: Shop, sent: dict[str, Any], code: int, pointer: str
) -> None:
    with working(shop):
        response = post(shop, sent)

    outcome = told(response)
    assert response.status_code == 200
    assert (outcome["status"], outcome["code"], outcome["errors"][0]["pointer"]) == ("no", code, pointer)
    assert outcome["retryable"] is (code == -2)


def test_who_does_not_wait_has_a_job_whose_results_are_the_bare_outcome_byte_for_byte(shop: Shop) -> None:
    response = post(shop, order(), Prefer="respond-async")
    assert response.status_code == 202
    outcome = shop.settled(promised(response))

    with working(shop):
        waited = post(shop, order())

    assert outcome["status"] == "ok"
    assert shop.door.get(f"{waited.headers['Location']}/results").data == waited.data
    job = told(shop.door.get(waited.headers["Location"]))
    assert (job["total"], job["ok"], job["state"]) == (1, 1, "succeeded")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"5", 400),
        (b'{"a": NaN}', 400),
        (b"\xff{}", 400),
    ],
)
def test_what_is_no_object_is_refused_whole_with_nothing_stored(shop: Shop, body: bytes, status: int) -> None:
    before = shop.door.job_count()

    response = post(shop, body)

    assert response.status_code == status
    assert (told(response)["status"], told(response)["code"]) == ("no", -7)
    assert shop.door.job_count() == before


def test_a_member_that_stands_twice_is_told_and_not_guessed(shop: Shop) -> None:
    body = orjson.dumps(order(poNumber="first"))[:-1] + b', "poNumber": "second"}'

    with working(shop):
        outcome = told(post(shop, body))

    assert outcome["code"] == -7
    assert "'poNumber' stands twice" in outcome["msg"]
