"""Idempotency-Key: an answer that was lost can be asked for again, and nothing is done twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.api import ApiClient

BATCH = {"lamp": {"x": 1}, "stool": {"x": 2}}


def test_the_same_key_and_body_replays_the_same_answer(api: ApiClient) -> None:
    with api.worker():
        first = api.post(BATCH, Idempotency_Key="k-1")
        again = api.post(BATCH, Idempotency_Key="k-1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert api.job_count() == 1


def test_a_quoted_key_is_the_same_as_a_bare_one(api: ApiClient) -> None:
    first = api.post(BATCH, Idempotency_Key='"k-1"', Prefer="respond-async")
    again = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    assert again.headers["Location"] == first.headers["Location"]


def test_a_replay_of_a_running_job_answers_the_same_202(api: ApiClient) -> None:
    first = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    again = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.get_json()["id"] == first.get_json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_replay_may_wait_for_the_job_that_runs(api: ApiClient) -> None:
    first = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(api.post(BATCH, Idempotency_Key="k-1", Prefer="wait=20"))
    )
    asking.start()
    for (slice_id,) in api.rows("SELECT id FROM slices ORDER BY id"):
        api.close_slice(slice_id)
    asking.join()

    assert answers[0].status_code == 200
    assert answers[0].headers["Location"] == first.headers["Location"]


def test_another_body_under_the_same_key_is_refused(api: ApiClient) -> None:
    api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    response = api.post({"lamp": {}}, Idempotency_Key="k-1")

    assert response.status_code == 422
    assert "another request" in response.get_json()["msg"]
    assert api.job_count() == 1


def test_keys_of_two_api_keys_do_not_meet(api: ApiClient) -> None:
    api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    other = api.new_key("other", "orders:write")

    response = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async", API_Authorization=other)

    assert "Idempotent-Replayed" not in response.headers
    assert api.job_count() == 2


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "ä", '"unclosed', "tab\there"])
def test_a_key_that_is_none_is_refused(api: ApiClient, key: str) -> None:
    response = api.post(BATCH, Idempotency_Key=key)

    assert response.status_code == 400
    assert "Idempotency-Key" in response.get_json()["msg"]
    assert api.job_count() == 0


def test_racing_first_requests_make_one_job(api: ApiClient) -> None:
    locations: list[str] = []

    def ask() -> None:
        response = api.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
        locations.append(response.headers["Location"])

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()

    assert len(locations) == 8
    assert len(set(locations)) == 1
    assert api.job_count() == 1
