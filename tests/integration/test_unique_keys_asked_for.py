"""uniqueKeys as a client meets it: the option, its outcome in each form, retries, and jobs that are gone."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import orjson

from shared.clock import utc_now
from shared.persistence.access.rotate import rotate_api_key
from shared.persistence.jobs.prune import prune_jobs
from tests.support.old_jobs import grow_old
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

UNIQUE = "?uniqueKeys=true"
FILE = {"1001": order(), "1002": order(line("RED-STOOL"))}


def send(shop: Shop, batch: dict[str, Any], query: str = UNIQUE, **headers: str) -> str:
    """Hand a batch in; gives its job's path."""
    response = shop.api.post(batch, query, Prefer="respond-async", **headers)
    assert response.status_code == 202, response.data
    return response.headers["Location"]


def place(shop: Shop, batch: dict[str, Any], query: str = UNIQUE, **headers: str) -> dict[str, Any]:
    """Hand a batch in and settle it; gives its outcomes."""
    return shop.settled(send(shop, batch, query, **headers))


def ask(shop: Shop, method: str, path: str, body: Any = None) -> TestResponse:
    headers = {"API-Authorization": shop.api.key, "Content-Type": "application/json"}
    data = None if body is None else orjson.dumps(body)
    return shop.api.client.open(
        path, method=method, data=data, headers={**headers, "Prefer": "respond-async"}
    )


def reasons(outcomes: dict[str, Any]) -> dict[str, str]:
    """Why each order was rejected, or what became of it, by key."""
    return {
        key: one["errors"][0]["reason"] if "errors" in one else one["status"] for key, one in outcomes.items()
    }


def test_the_same_file_under_another_idempotency_key_makes_each_order_once(shop: Shop) -> None:
    first = place(shop, FILE, Idempotency_Key="monday")
    further = rotate_api_key(shop.api.engine, "Shop", utc_now())
    assert further is not None

    again = place(shop, {**FILE, "1003": order()}, Idempotency_Key="tuesday", API_Authorization=further.text)

    assert {key: one["orders"] for key, one in again.items() if key in FILE} == {
        key: one["orders"] for key, one in first.items()
    }
    assert reasons(again) == {"1001": "key_exists", "1002": "key_exists", "1003": "ok"}
    assert again["1001"] == {
        "status": "no",
        "code": -5,
        "msg": f"the key '1001' has made order {first['1001']['orders'][0]} before;"
        " what is another order needs another key",
        "retryable": False,
        "orders": first["1001"]["orders"],
        "errors": [
            {
                "pointer": "",
                "reason": "key_exists",
                "msg": again["1001"]["msg"],
                "params": {"orders": first["1001"]["orders"]},
            }
        ],
    }
    assert len(shop.orders()) == 3


def test_the_job_tells_what_was_asked_for_and_counts_what_exists_as_failed(shop: Shop) -> None:
    place(shop, FILE)
    path = send(shop, FILE)
    shop.settled(path)

    job = told(shop.api.get(path))

    assert job["uniqueKeys"] is True
    assert (job["state"], job["failed"], job["codes"]) == ("failed", 2, {"-5": 2})


def test_what_exists_is_chosen_and_written_like_any_rejection(shop: Shop) -> None:
    numbers = place(shop, FILE)["1001"]["orders"]
    path = send(shop, {"1001": order(), "1003": order()})
    shop.settled(path)
    results = f"{path}/results?reason=key_exists"
    forms = {
        accept: shop.api.client.get(
            results, headers={"API-Authorization": shop.api.key, "Accept": accept}
        ).data
        for accept in ("application/json", "application/x-ndjson", "text/csv")
    }

    assert [one["orders"] for one in json.loads(forms["application/json"]).values()] == [numbers]
    (only,) = forms["application/x-ndjson"].splitlines()
    assert (json.loads(only)["key"], json.loads(only)["orders"]) == ("1001", numbers)
    _, row = csv.reader(io.StringIO(forms["text/csv"].decode("utf-8-sig")))
    assert row[:3] == ["1001", "-5", "key_exists"]
    assert str(numbers[0]) in row[4]


def test_a_retry_keeps_the_option_and_makes_nothing_twice(shop: Shop) -> None:
    batch = {"1001": order(), "short": order(line("RED-STOOL", 40))}
    path = send(shop, batch)
    shop.settled(path)
    # Meanwhile another batch has made what was rejected here.
    made = place(shop, {"short": order()}, "")["short"]["orders"]

    again = ask(shop, "POST", f"{path}/retry", {}).headers["Location"]
    outcomes = shop.settled(again)

    assert told(shop.api.get(again))["uniqueKeys"] is True
    assert reasons(outcomes) == {"short": "key_exists"}
    assert outcomes["short"]["orders"] == made
    # It could not succeed unchanged, and does not where it is tried all the same.
    assert ask(shop, "POST", f"{again}/retry", {}).status_code == 409
    third = ask(shop, "POST", f"{again}/retry", {"all": True}).headers["Location"]
    assert reasons(shop.settled(third)) == {"short": "key_exists"}
    assert len(shop.orders()) == 2


def test_a_corrected_order_is_made_under_the_key_that_made_none(shop: Shop) -> None:
    path = send(shop, {"1001": order(market="Mars")})
    shop.settled(path)

    again = ask(shop, "POST", f"{path}/retry", {"orders": {"1001": order()}}).headers["Location"]

    assert reasons(shop.settled(again)) == {"1001": "ok"}
    assert reasons(place(shop, {"1001": order()})) == {"1001": "key_exists"}


def test_what_was_cancelled_has_made_nothing_under_its_key(shop: Shop) -> None:
    path = send(shop, FILE)
    ask(shop, "POST", f"{path}/cancel")
    shop.settled(path)

    assert reasons(place(shop, FILE)) == {"1001": "ok", "1002": "ok"}


def test_an_order_has_its_key_when_its_job_is_deleted_and_when_it_is_pruned(shop: Shop) -> None:
    plain, unique = send(shop, {"1001": order()}, ""), send(shop, {"1002": order(), "": order()})
    numbers = {**shop.settled(plain), **shop.settled(unique)}
    assert ask(shop, "DELETE", plain).status_code == 204

    deleted = place(shop, {"1001": order()})
    grow_old(shop, 31)
    prune_jobs(shop.api.engine, 10_000)
    assert shop.api.job_count() == 0
    pruned = place(shop, {"1001": order(), "1002": order(), "": order()})

    assert reasons(deleted) == {"1001": "key_exists"}
    assert reasons(pruned) == {"1001": "key_exists", "1002": "key_exists", "": "key_exists"}
    assert {key: one["orders"] for key, one in pruned.items()} == {
        key: one["orders"] for key, one in numbers.items()
    }


def test_one_order_that_was_sent_without_a_key_stands_in_no_batchs_way(shop: Shop) -> None:
    alone = shop.api.client.post(
        "/v1/order",
        data=orjson.dumps(order()),
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )
    shop.settled(alone.headers["Location"])

    assert reasons(place(shop, {"": order()})) == {"": "ok"}
    assert reasons(place(shop, {"": order()})) == {"": "key_exists"}


def test_what_is_unknown_in_an_order_is_told_beside_that_its_key_exists(shop: Shop) -> None:
    place(shop, {"1001": order()})

    assert place(shop, {"1001": order(poNummer=1)})["1001"]["ignored"] == ["/poNummer"]
