"""A batch on its way: answered now or as a job, every key back as it was sent (contract §2 and 3)."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import pytest

from shared.domain.slicing import SLICE_QUEUES
from shared.queue.job_queue import JobQueue
from tests.support.api import ApiClient

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


@pytest.fixture(autouse=True)
def _nothing_open(module_api: ApiClient) -> Iterator[None]:
    yield
    for slice_id, _, _ in module_api.open_slices():
        module_api.close_slice(slice_id)


def job_id_of(response: TestResponse) -> str:
    return response.headers["Location"].rpartition("/")[2]


def bodies_of(api: ApiClient, job_id: str) -> list[bytes]:
    return [
        row.body for row in api.rows("SELECT body FROM slices WHERE job_id = :j ORDER BY number", j=job_id)
    ]


def test_a_small_batch_is_answered_with_its_outcomes_in_the_requests_order(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post({f"x{number}": {} for number in (3, 1, 2)})

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert list(orjson.loads(response.data)) == ["x3", "x1", "x2"]
    assert orjson.loads(response.data)["x1"]["status"] == "ok"
    assert UUID(job_id_of(response)).version == 7
    assert "Preference-Applied" not in response.headers


def test_the_results_of_the_job_are_the_very_bytes_of_the_answer(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post({"é": {}, "\u0000": {}})

    results = module_api.get(response.headers["Location"] + "/results")
    assert results.data == response.data
    assert "Retry-After" not in results.headers


@pytest.mark.parametrize(
    "key",
    [
        "",
        "\u0000",
        "🛒🇸🇪👩‍👩‍👧",
        "k" * 1_000,
        "__proto__",
        "constructor",
        "a\r\nSet-Cookie: x",
        '"quoted\\',
        "\u2028\u202e",
        "status",
        " ",
        "\ufeff",
        "\U0010ffff",
    ],
)
def test_any_key_comes_back_as_it_was_sent(module_api: ApiClient, key: str) -> None:
    with module_api.worker():
        response = module_api.post({key: {}, "other": {}})

    assert response.status_code == 200
    assert list(orjson.loads(response.data)) == [key, "other"]
    assert "Set-Cookie" not in response.headers


def test_keys_that_differ_only_by_normalisation_are_two(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post('{"caf\u00e9":{},"cafe\u0301":{}}'.encode())

    assert list(orjson.loads(response.data)) == ["caf\u00e9", "cafe\u0301"]


def test_orders_reach_the_slices_byte_for_byte(module_api: ApiClient) -> None:
    sent = b'{"a": {"qty" : 1.50, "x":1e400,"x":2} ,"\\u0000":null,"b":[ ],"c":"\\u00e9"}'

    response = module_api.with_settings(slice_max_orders=1).post(sent, Prefer="respond-async")

    assert bodies_of(module_api, job_id_of(response)) == [
        b'{"a":{"qty" : 1.50, "x":1e400,"x":2}}',
        b'{"\\u0000":null}',
        b'{"b":[ ]}',
        b'{"c":"\\u00e9"}',
    ]


def test_an_empty_object_is_a_batch_of_no_orders(module_api: ApiClient) -> None:
    response = module_api.post({}, Prefer="respond-async")

    assert (response.status_code, response.data) == (200, b"{}")
    job = module_api.get(response.headers["Location"]).json
    assert job is not None
    assert (job["state"], job["total"], job["percent"], job["done"]) == ("succeeded", 0, 100.0, True)
    assert module_api.get(response.headers["Location"] + "/results").data == b"{}"


def test_respond_async_is_202_at_once_with_the_job(module_api: ApiClient) -> None:
    started = time.monotonic()
    response = module_api.post({"a": {}, "b": {}}, Prefer="respond-async")

    assert time.monotonic() - started < 2
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json is not None
    assert response.json["id"] == job_id_of(response)
    assert response.json["state"] == "queued"
    assert (response.json["total"], response.json["pending"]) == (2, 2)
    assert response.json["links"]["self"] == response.headers["Location"]
    assert module_api.get(response.headers["Location"]).json == response.json


def test_a_larger_batch_is_202_at_once_in_slices_of_the_large_queue(module_api: ApiClient) -> None:
    small_limits = module_api.with_settings(sync_max_orders=3, slice_max_orders=4)

    response = small_limits.post({f"x{number}": {} for number in range(10)})

    assert response.status_code == 202
    slices = module_api.rows(
        "SELECT number, first_position, order_count, queue FROM slices WHERE job_id = :job ORDER BY number",
        job=job_id_of(response),
    )
    assert slices == [
        (0, 0, 4, "orders.large"),
        (1, 4, 4, "orders.large"),
        (2, 8, 2, "orders.large"),
    ]


@pytest.mark.parametrize(
    ("orders", "prefer", "slices"),
    [
        (2, "", [("orders.small", 1)] * 2),
        (2, "wait=0.5, wait=1", [("orders.small", 1)] * 2),
        (2, "respond-async", [("orders.large", 2)]),
        (2, "wait=0", [("orders.large", 2)]),
        (7, "", [("orders.waited", 3), ("orders.waited", 3), ("orders.waited", 1)]),
        (11, "", [("orders.large", 5), ("orders.large", 5), ("orders.large", 1)]),
        (11, "wait=1", [("orders.waited", 3)] * 3 + [("orders.waited", 2)]),
        (11, "respond-async, wait=1", [("orders.waited", 3)] * 3 + [("orders.waited", 2)]),
    ],
)
def test_who_waits_goes_into_another_lane_than_who_does_not(
    module_api: ApiClient, orders: int, prefer: str, slices: list[tuple[str, int]]
) -> None:
    limits = module_api.with_settings(
        small_max_orders=4,
        waited_slice_max_orders=3,
        slice_max_orders=5,
        sync_max_orders=10,
        sync_wait_seconds=0.1,
        max_wait_seconds=0.1,
    )

    with closing(JobQueue(module_api.settings)) as queue:
        before = {name: queue.waiting(name) for name in SLICE_QUEUES}
        response = limits.post({f"k{n}": {} for n in range(orders)}, Prefer=prefer)
        fed = [name for name in SLICE_QUEUES if queue.waiting(name) > before[name]]

    query = "SELECT queue, order_count FROM slices WHERE job_id = :id ORDER BY number"
    assert [tuple(row) for row in module_api.rows(query, id=job_id_of(response))] == slices
    assert fed == [slices[0][0]]


def test_a_thousand_orders_are_answered_in_the_response(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post({f"k{n}": {} for n in range(1_000)})

    assert response.status_code == 200
    assert len(orjson.loads(response.data)) == 1_000


def test_slices_are_bounded_by_bytes_and_by_lines_too(module_api: ApiClient) -> None:
    line = {"sku": "BRASS-LAMP", "qty": 1}
    bodies = {
        **{f"bytes {n}": {"comment": "x" * 100_000} for n in range(4)},
        **{f"lines {n}": {"products": [line] * 200} for n in range(4)},
        "few": {},
    }

    response = module_api.post(bodies, Prefer="respond-async")

    query = "SELECT order_count FROM slices WHERE job_id = :id ORDER BY number"
    counts = [row.order_count for row in module_api.rows(query, id=job_id_of(response))]
    # Two of 100 kB; the other two with two of 200 lines; the other two of those with the last.
    assert counts == [2, 4, 3]


def test_wait_asks_for_the_outcomes_of_a_batch_of_any_size(module_api: ApiClient) -> None:
    small_limits = module_api.with_settings(sync_max_orders=3, slice_max_orders=4, max_wait_seconds=20)

    with module_api.worker():
        response = small_limits.post({f"x{number}": {} for number in range(10)}, Prefer="wait=900")

    assert response.status_code == 200
    assert list(orjson.loads(response.data)) == [f"x{number}" for number in range(10)]
    assert response.headers["Preference-Applied"] == "wait=20"


def test_a_wait_that_ends_too_early_is_202_and_never_a_guess(module_api: ApiClient) -> None:
    started = time.monotonic()
    response = module_api.post({"a": {}}, Prefer="wait=1")

    assert 0.9 < time.monotonic() - started < 3
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=1"
    assert orjson.loads(response.data)["pending"] == 1


def test_a_202_tells_how_far_the_job_is_by_then(module_api: ApiClient) -> None:
    one_by_one = module_api.with_settings(slice_max_orders=1)
    before = {slice_id for slice_id, _, _ in module_api.open_slices()}
    assert not before

    response = one_by_one.post({"a": {}, "b": {}}, Prefer="respond-async")
    first, _ = (slice_id for slice_id, _, _ in module_api.open_slices())
    module_api.close_slice(first, ok=False)
    job = module_api.get(response.headers["Location"])

    assert job.json is not None
    assert (job.json["state"], job.json["failed"], job.json["pending"]) == ("running", 1, 1)
    assert job.json["codes"] == {"-2": 1}
    assert job.headers["Retry-After"] == "1"
    results = module_api.get(response.headers["Location"] + "/results")
    assert list(orjson.loads(results.data)) == ["a"]
    assert results.headers["Retry-After"] == "1"


def test_no_wait_at_all_is_202_at_once(module_api: ApiClient) -> None:
    response = module_api.post({"a": {}}, Prefer="wait=0")

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=0"


def test_respond_async_with_a_wait_waits_first(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post({"a": {}}, Prefer="respond-async, wait=10")

    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=10"


def test_an_event_wakes_the_waiting_request_at_once(module_api: ApiClient) -> None:
    module_api.post({}, Prefer="wait=5")
    with module_api.worker():
        module_api.post({"warm": {}})
        started = time.monotonic()
        response = module_api.post({"a": {}, "b": {}})

    assert response.status_code == 200
    # The database is looked at after a whole second only.
    assert time.monotonic() - started < 0.9


def test_a_lost_event_only_costs_a_moment(module_api: ApiClient) -> None:
    with module_api.worker():
        module_api.post({"warm": {}})
    started = time.monotonic()
    with module_api.worker(announcing=False):
        response = module_api.post({"a": {}})

    assert response.status_code == 200
    assert time.monotonic() - started < 3


def test_handling_strict_is_kept_with_the_job(module_api: ApiClient) -> None:
    strict = module_api.post({"a": {}}, Prefer="handling=strict, respond-async")
    lenient = module_api.post({"a": {}}, Prefer="respond-async")

    assert strict.headers["Preference-Applied"] == "respond-async, handling=strict"
    kept = {str(row.id): row.strict for row in module_api.rows("SELECT id, strict FROM jobs")}
    assert kept[job_id_of(strict)] is True
    assert kept[job_id_of(lenient)] is False


def test_the_request_id_stays_with_the_job(module_api: ApiClient) -> None:
    response = module_api.post({"a": {}}, Prefer="respond-async", X_Request_ID="from-the-shop-7")

    [(kept,)] = module_api.rows("SELECT request_id FROM jobs WHERE id = :id", id=job_id_of(response))
    assert kept == response.headers["X-Request-ID"] == "from-the-shop-7"


def test_an_order_number_that_stands_earlier_is_noted_with_its_slice(module_api: ApiClient) -> None:
    small_limits = module_api.with_settings(sync_max_orders=1, slice_max_orders=2)

    response = small_limits.post(
        {
            "a": {"orderNumber": 5},
            "b": {"orderNumber": "6"},
            "c": {"orderNumber": "5"},
            "d": {"orderNumber": 7},
            "e": {"orderNumber": 6.0},
        }
    )

    noted = module_api.rows(
        "SELECT repeated_numbers FROM slices WHERE job_id = :job ORDER BY number", job=job_id_of(response)
    )
    assert [row.repeated_numbers for row in noted] == [[], [2], [4]]


def test_gzip_is_taken(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post(gzip.compress(b'{"a":{}}'), Content_Encoding="gzip")

    assert list(orjson.loads(response.data)) == ["a"]


def test_lines_of_keyed_orders_make_one_batch(module_api: ApiClient) -> None:
    with module_api.worker():
        response = module_api.post(
            b'{"b":{}}\n\n{"a":{},"c":{}}', Content_Type="application/x-ndjson; charset=utf-8"
        )

    assert list(orjson.loads(response.data)) == ["b", "a", "c"]


def test_small_slices_are_dispatched_to_their_queue_in_one_message(module_api: ApiClient) -> None:
    queue = JobQueue(module_api.settings)
    before = queue.waiting("orders.small")

    module_api.with_settings(sync_wait_seconds=0.1).post({"a": {}, "b": {}})

    assert queue.waiting("orders.small") == before + 1
    queue.close()


@pytest.mark.parametrize("prefer", ["", "wait=20"])
def test_the_broker_away_is_202_and_the_batch_is_stored(module_api: ApiClient, prefer: str) -> None:
    away = module_api.with_settings(redis_url="redis://127.0.0.1:9/0")

    started = time.monotonic()
    response = away.post({"a": {}, "b": {}}, Prefer=prefer)

    assert time.monotonic() - started < 5
    assert response.status_code == 202
    assert bodies_of(module_api, job_id_of(response)) == [b'{"a":{}}', b'{"b":{}}']
    assert module_api.get(response.headers["Location"]).status_code == 200
