"""The limit on how often a key may ask: counted for all processes together, and let go of without Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from structlog.testing import capture_logs

from shared.settings import Settings
from tests.support.api import ApiClient, open_api
from tests.support.orders import line, order
from tests.support.settling import settle_slice
from worker.context import open_worker_context


@pytest.fixture
def api_without_redis(settings: Settings) -> Iterator[ApiClient]:
    with open_api(replace(settings, redis_url="redis://127.0.0.1:1/0")) as made:
        yield made


def test_the_request_above_the_limit_is_429_with_when_to_come_back(api: ApiClient) -> None:
    limited = api.with_settings(rate_limit_per_minute=3)

    answers = [limited.get("/v1/limits") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.headers["RateLimit-Limit"] == "3"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.json is not None
    assert (refused.json["status"], refused.json["code"]) == ("no", -7)
    assert "more than 3 requests" in refused.json["msg"]
    assert "rateLimitPerMinute" in refused.json["msg"]


def test_what_is_refused_by_the_rate_is_neither_read_nor_stored(api: ApiClient) -> None:
    limited = api.with_settings(rate_limit_per_minute=1)
    limited.get("/v1/limits")

    refused = limited.post(b"not even JSON")

    assert refused.status_code == 429
    assert limited.job_count() == 0


def test_every_key_has_a_count_of_its_own_for_all_routes_and_processes_together(api: ApiClient) -> None:
    limited, twin = (api.with_settings(rate_limit_per_minute=2) for _ in range(2))
    other = api.new_key("Other", "orders:read")

    assert limited.get("/v1/limits").status_code == 200
    assert twin.get("/v1/orders").status_code == 200
    assert limited.get("/v1/orders").status_code == 429
    assert twin.get("/v1/limits").status_code == 429
    assert twin.get("/v1/limits", other).status_code == 200


def test_a_request_without_the_scope_counts_too(api: ApiClient) -> None:
    limited = api.with_settings(rate_limit_per_minute=2)
    poor = api.new_key("Poor")

    assert [limited.get("/v1/stock", poor).status_code for _ in range(3)] == [403, 403, 429]


def test_voucher_codes_that_are_nobodys_count_like_requests_against_whoever_tried_them(
    api: ApiClient,
) -> None:
    limited = api.with_settings(rate_limit_per_minute=10)
    other = api.new_key("Other")
    batch = {key: order(line("X"), voucherCodes=[f"{key}-1", f"{key}-2", f"{key}-3"]) for key in ("a", "b")}
    context = open_worker_context(limited.settings)

    accepted = limited.post(batch, Prefer="respond-async")
    for slice_id, *_ in limited.open_slices():
        settle_slice(context, slice_id)
    after = [limited.get("/v1/limits") for _ in range(4)]

    assert accepted.headers["RateLimit-Remaining"] == "9"
    # One request, six codes, one request more.
    assert [one.headers["RateLimit-Remaining"] for one in after] == ["2", "1", "0", "0"]
    assert after[-1].status_code == 429
    assert after[-1].json is not None
    assert "a voucher code that does not exist counts as one" in after[-1].json["msg"]
    assert limited.get("/v1/limits", other).headers["RateLimit-Remaining"] == "9"
    context.engine.dispose()


def test_requests_without_a_key_and_open_routes_are_not_counted(api: ApiClient) -> None:
    limited = api.with_settings(rate_limit_per_minute=1)

    for path, status in (("/healthz", 200), ("/openapi.json", 200), ("/nothing", 404), ("/v1/limits", 401)):
        answers = [limited.client.get(path) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [status] * 3
        assert "RateLimit-Limit" not in answers[0].headers


def test_a_rate_limit_of_0_limits_nobody(api: ApiClient) -> None:
    free = api.with_settings(rate_limit_per_minute=0)

    answer = free.get("/v1/limits")

    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers
    assert answer.json is not None
    assert answer.json["rateLimitPerMinute"] == 0


def test_redis_holds_one_key_of_ours_that_expires_and_no_secret(api: ApiClient, settings: Settings) -> None:
    api.get("/v1/limits")

    with redis.Redis.from_url(settings.redis_url) as client:
        [name] = client.keys("*")
        assert name.startswith(b"ordermill:rate:")
        assert 0 < client.ttl(name) <= 60
        assert api.key.split("_", 2)[2].encode() not in name
        # Whatever has taken the expiry away: the next request puts it back.
        client.persist(name)
        api.get("/v1/limits")
        assert 0 < client.ttl(name) <= 60


def test_without_redis_everybody_is_let_in_and_that_is_logged_once(api_without_redis: ApiClient) -> None:
    with capture_logs() as lines:
        answers = [api_without_redis.get("/v1/limits") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[0].headers
    assert [line["event"] for line in lines if "rate" in line["event"]] == ["rate_limit_away"]


def test_a_redis_that_is_silent_costs_one_request_its_short_limit(api: ApiClient, settings: Settings) -> None:
    api.get("/v1/limits")
    with redis.Redis.from_url(settings.redis_url) as client:
        client.client_pause(3_000)

    took = []
    with capture_logs() as lines:
        for _ in range(10):
            begun = time.monotonic()
            assert api.get("/v1/limits").status_code == 200
            took.append(time.monotonic() - begun)

    assert max(took) < 1.5
    assert sum(took) < 2
    assert [line["event"] for line in lines if "rate" in line["event"]] == ["rate_limit_away"]
    with redis.Redis.from_url(settings.redis_url) as client:
        client.client_unpause()


def test_racing_requests_are_let_in_exactly_up_to_the_limit(api: ApiClient) -> None:
    limited = api.with_settings(rate_limit_per_minute=50)
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(limited.get("/v1/limits").status_code for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 50 + [429] * 30
