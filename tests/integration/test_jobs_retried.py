"""Rejected orders are tried again under their keys, as they were or corrected, and none is made twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

GOOD = order(line("BRASS-LAMP"))
NONE_LEFT = order({"sku": "RED-STOOL", "qty": 40})
WRONG = order(line("BRASS-LAMP"), market="Mars")
BATCH = {"good": GOOD, "short": NONE_LEFT, "wrong": WRONG, "empty": {}}


pytestmark = pytest.mark.usefixtures("nothing_is_broken")


def done(shop: Shop, batch: dict[str, Any] | None = None) -> str:
    path: str = shop.api.post(batch or BATCH, Prefer="respond-async").headers["Location"]
    shop.settled(path)
    return path


def retry(shop: Shop, path: str, body: Any = None, **headers: str) -> TestResponse:
    return shop.api.client.post(
        f"{path}/retry",
        data=body if isinstance(body, bytes) else orjson.dumps(body or {}),
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def retried(shop: Shop, path: str, body: Any = None) -> tuple[str, dict[str, Any]]:
    """Retry and settle; the new job's path, and its outcomes."""
    response = retry(shop, path, body)
    assert response.status_code == 202, response.data
    return response.headers["Location"], shop.settled(response.headers["Location"])


def restock(shop: Shop, sku: str, units: int) -> None:
    with shop.api.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE stock SET physical = physical + :units FROM items, warehouses"
                " WHERE items.id = item_id AND sku = :sku AND warehouses.id = warehouse_id"
                " AND warehouses.name = 'Main'"
            ),
            {"sku": sku, "units": units},
        )


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({}, ["short"]),
        ({"codes": [-2, -3]}, ["short", "empty"]),
        ({"reasons": ["market_unknown"]}, ["wrong"]),
        ({"keys": ["wrong", "empty"]}, ["wrong", "empty"]),
        ({"all": True}, ["short", "wrong", "empty"]),
        ({"orders": {"wrong": GOOD}}, ["wrong"]),
    ],
)
def test_those_that_are_chosen_are_tried_again_under_their_keys(
    shop: Shop, body: dict[str, Any], keys: list[str]
) -> None:
    path = done(shop)

    again, outcomes = retried(shop, path, body)

    assert list(outcomes) == keys
    job, first = told(shop.api.get(again)), told(shop.api.get(path))
    assert job["retryOf"] == first["id"]
    assert first["retries"] == [job["id"]]
    assert job["total"] == len(keys)


def test_what_has_come_meanwhile_makes_the_same_order_succeed(shop: Shop) -> None:
    path = done(shop)
    restock(shop, "RED-STOOL", 50)

    _, outcomes = retried(shop, path)

    assert outcomes["short"]["status"] == "ok"
    assert len(shop.orders()) == 2


def test_a_corrected_order_takes_the_place_of_what_was_sent(shop: Shop) -> None:
    path = done(shop)

    _, outcomes = retried(shop, path, {"orders": {"wrong": GOOD, "empty": GOOD}})

    assert {key: one["status"] for key, one in outcomes.items()} == {"wrong": "ok", "empty": "ok"}


def test_a_cancelled_order_can_be_tried_again(shop: Shop) -> None:
    path = shop.api.post({"a": GOOD, "b": GOOD}, Prefer="respond-async").headers["Location"]
    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})

    _, outcomes = retried(shop, path)

    assert [one["status"] for one in outcomes.values()] == ["ok", "ok"]


def test_a_retry_may_be_waited_for_and_is_answered_as_a_batch(shop: Shop) -> None:
    path = done(shop)
    with shop.api.worker():
        response = retry(shop, path, {"keys": ["short"]}, Prefer="wait=20")

    assert response.status_code == 200
    assert list(told(response)) == ["short"]
    with shop.api.engine.begin() as connection:
        # What that worker made is no order of this shop's.
        connection.execute(
            text("DELETE FROM slices WHERE job_id IN (SELECT id FROM jobs WHERE retry_of IS NOT NULL)")
        )
        connection.execute(text("DELETE FROM jobs WHERE retry_of IS NOT NULL"))


def test_the_same_retry_again_is_the_same_job(shop: Shop) -> None:
    path = done(shop)
    first = retry(shop, path, {"all": True}, Idempotency_Key="r-1")

    again = retry(shop, path, {"all": True}, Idempotency_Key="r-1")
    other = retry(shop, path, {"keys": ["short"]}, Idempotency_Key="r-1")

    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 422
    assert shop.api.job_count() == 2


def refused(response: TestResponse, *named: str) -> None:
    assert response.status_code == 409, response.data
    for name in named:
        assert name in told(response)["msg"]


def test_what_was_made_or_is_under_way_is_refused_and_named(shop: Shop) -> None:
    path = done(shop)

    refused(retry(shop, path, {"keys": ["good"]}), "'good'")
    refused(retry(shop, path, {"orders": {"good": GOOD}}), "'good'")
    under_way = retry(shop, path, {"keys": ["short"]}).headers["Location"]
    refused(retry(shop, path, {"keys": ["short", "wrong"]}), "'short'")
    refused(retry(shop, path, {"all": True}), "'short'")
    assert retry(shop, path, {"keys": ["wrong"]}).status_code == 202
    restock(shop, "RED-STOOL", 50)
    shop.settled(under_way)
    refused(retry(shop, path, {"keys": ["short"]}), "'short'")
    refused(retry(shop, under_way, {"keys": ["short"]}), "'short'")
    assert shop.api.job_count() == 3


def test_what_a_retry_rejected_can_be_tried_again_by_way_of_either_job(shop: Shop) -> None:
    path = done(shop)
    second, _ = retried(shop, path, {"keys": ["short"]})
    third, _ = retried(shop, path, {"keys": ["short"]})
    restock(shop, "RED-STOOL", 50)

    _, outcomes = retried(shop, second, {"keys": ["short"]})

    assert outcomes["short"]["status"] == "ok"
    for job in (path, second, third):
        refused(retry(shop, job, {"keys": ["short"]}), "'short'")


def test_an_order_that_a_deleted_retry_may_have_made_is_not_made_again(shop: Shop) -> None:
    path = done(shop)
    restock(shop, "RED-STOOL", 50)
    second, _ = retried(shop, path, {"keys": ["short"]})
    shop.api.client.delete(second, headers={"API-Authorization": shop.api.key})

    refused(retry(shop, path, {"keys": ["short"]}), "'short'")


def test_of_retries_that_race_for_a_key_one_gets_it(shop: Shop) -> None:
    path = done(shop, {f"k{i}": NONE_LEFT for i in range(20)})
    statuses: list[int] = []

    def ask(number: int) -> None:
        keys = [f"k{(number + at) % 20}" for at in range(8)]
        statuses.append(retry(shop, path, {"keys": keys}).status_code)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()

    assert set(statuses) <= {202, 409}
    made = shop.api.rows("SELECT total FROM jobs WHERE retry_of IS NOT NULL")
    assert len(made) == statuses.count(202) >= 1
    assert shop.api.rows("SELECT count(*) FROM retried_keys") == [(8 * len(made),)]


def test_a_job_that_is_not_done_is_not_retried(shop: Shop) -> None:
    path = shop.api.post(BATCH, Prefer="respond-async").headers["Location"]

    response = retry(shop, path)

    refused(response, "not done")
    assert int(response.headers["Retry-After"]) > 0


def test_a_job_without_anything_to_retry_is_not_retried(shop: Shop) -> None:
    refused(retry(shop, done(shop, {"a": GOOD})), "nothing to retry")
    refused(retry(shop, done(shop, {"a": WRONG})), "nothing to retry")


def test_a_retry_of_what_was_sent_and_is_gone_asks_for_the_orders(shop: Shop) -> None:
    path = done(shop)
    with shop.api.engine.begin() as connection:
        connection.execute(text("UPDATE slices SET body = NULL"))
        connection.execute(text("UPDATE jobs SET bodies_kept = false"))

    gone = retry(shop, path, {"all": True})
    corrected = retry(shop, path, {"orders": {"wrong": GOOD}})

    assert (gone.status_code, corrected.status_code) == (410, 202)
    assert '{"orders": {key: order}}' in told(gone)["msg"]
    with shop.api.engine.begin() as connection:
        # The list of what must hold compares what was sent with its outcomes.
        connection.execute(text("DELETE FROM slices WHERE body IS NULL"))
        connection.execute(text("UPDATE jobs SET deleted_at = now() WHERE NOT bodies_kept"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"[]", "object"),
        ({"code": [-2]}, "codes, reasons, keys, all, orders"),
        ({"codes": [-2], "all": True}, "contradict"),
        ({"codes": []}, "codes"),
        ({"codes": [-9]}, "-1, -2, -3"),
        ({"codes": [True]}, "codes"),
        ({"codes": -2}, "codes"),
        ({"reasons": ["bad"]}, "docs/reasons.md"),
        ({"reasons": [5]}, "reasons"),
        ({"keys": [5]}, "keys"),
        ({"keys": ["nobody", "short"]}, "'nobody'"),
        ({"all": False}, "all"),
        ({"orders": {"nobody": GOOD}}, "'nobody'"),
        (b'{"orders": {"wrong": {}, "wrong": {}}}', "'wrong'"),
        (b'{"keys": ["short"], "keys": ["wrong"]}', "'keys'"),
    ],
)
def test_a_retry_of_what_nobody_can_mean_is_refused_by_name(shop: Shop, body: Any, said: str) -> None:
    response = retry(shop, done(shop), body)

    assert response.status_code == 400, response.data
    assert said in told(response)["msg"]
    assert shop.api.job_count() == 1


def test_a_job_of_somebody_else_is_404(shop: Shop) -> None:
    path = done(shop)
    stranger = shop.api.new_key("Stranger", "orders:write", "jobs:read-all")
    reader = shop.api.new_key("Reader", "orders:read")

    assert retry(shop, path, API_Authorization=stranger).status_code == 404
    assert retry(shop, path, API_Authorization=reader).status_code == 403
