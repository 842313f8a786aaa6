"""POST /v1/order: one order, the same path through a job, answered with its bare outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.support.orders import line, order
from tests.support.parameter_shop import accepted, working
from tests.support.placed_orders import told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop


def post(shop: Shop, sent: Any, **headers: str) -> TestResponse:
    return shop.api.client.post(
        "/v1/order",
        data=sent if isinstance(sent, bytes) else orjson.dumps(sent),
        headers={"API-Authorization": shop.api.key, "Content-Type": "application/json", **headers},
    )


def test_one_order_is_answered_with_its_bare_outcome(parameter_shop: Shop) -> None:
    with working(parameter_shop):
        response = post(parameter_shop, order(poNumber="PO-1"))

    assert response.status_code == 200
    [number] = told(response)["orders"]
    assert told(response) == {"status": "ok", "orders": [number]}
    [found] = parameter_shop.orders(f"?order={number}")
    assert (found["poNumber"], found["batchKey"]) == ("PO-1", "")
    assert response.headers["Location"] == f"/v1/jobs/{found['jobId']}"


def test_one_prepared_order_is_answered_with_its_number(parameter_shop: Shop) -> None:
    with working(parameter_shop):
        outcome = told(post(parameter_shop, order(createOnly=True)))

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
    parameter_shop: Shop, sent: dict[str, Any], code: int, pointer: str
) -> None:
    with working(parameter_shop):
        response = post(parameter_shop, sent)

    outcome = told(response)
    assert response.status_code == 200
    assert (outcome["status"], outcome["code"], outcome["errors"][0]["pointer"]) == ("no", code, pointer)
    assert outcome["retryable"] is (code == -2)


def test_who_does_not_wait_has_a_job_whose_results_are_the_bare_outcome_byte_for_byte(
    parameter_shop: Shop,
) -> None:
    response = post(parameter_shop, order(), Prefer="respond-async")
    assert response.status_code == 202
    outcome = parameter_shop.settled(accepted(response))

    with working(parameter_shop):
        waited = post(parameter_shop, order())

    assert outcome["status"] == "ok"
    assert parameter_shop.api.get(f"{waited.headers['Location']}/results").data == waited.data
    job = told(parameter_shop.api.get(waited.headers["Location"]))
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
def test_what_is_no_object_is_refused_whole_with_nothing_stored(
    parameter_shop: Shop, body: bytes, status: int
) -> None:
    before = parameter_shop.api.job_count()

    response = post(parameter_shop, body)

    assert response.status_code == status
    assert (told(response)["status"], told(response)["code"]) == ("no", -7)
    assert parameter_shop.api.job_count() == before


def test_a_member_that_stands_twice_is_told_and_not_guessed(parameter_shop: Shop) -> None:
    body = orjson.dumps(order(poNumber="first"))[:-1] + b', "poNumber": "second"}'

    with working(parameter_shop):
        outcome = told(post(parameter_shop, body))

    assert outcome["code"] == -7
    assert "'poNumber' stands twice" in outcome["msg"]
