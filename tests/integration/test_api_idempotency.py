"""Idempotency-Key: an answer that was lost can be asked for again, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.settings import Settings
from tests.support.api import Door, open_door

BATCH = {"lamp": {"x": 1}, "stool": {"x": 2}}


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with open_door(settings) as opened:
        yield opened


def test_the_same_key_and_body_replays_the_same_answer(door: Door) -> None:
    with door.worker():
        first = door.post(BATCH, Idempotency_Key="k-1")
        again = door.post(BATCH, Idempotency_Key="k-1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert door.job_count() == 1


def test_a_quoted_key_is_the_same_as_a_bare_one(door: Door) -> None:
    first = door.post(BATCH, Idempotency_Key='"k-1"', Prefer="respond-async")
    again = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    assert again.headers["Location"] == first.headers["Location"]


def test_a_replay_of_a_running_job_answers_the_same_202(door: Door) -> None:
    first = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    again = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.get_json()["id"] == first.get_json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_replay_may_wait_for_the_job_that_runs(door: Door) -> None:
    first = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(door.post(BATCH, Idempotency_Key="k-1", Prefer="wait=20"))
    )
    asking.start()
    for (slice_id,) in door.rows("SELECT id FROM slices ORDER BY id"):
        door.close_slice(slice_id)
    asking.join()

    assert answers[0].status_code == 200
    assert answers[0].headers["Location"] == first.headers["Location"]


def test_another_body_under_the_same_key_is_refused(door: Door) -> None:
    door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")

    response = door.post({"lamp": {}}, Idempotency_Key="k-1")

    assert response.status_code == 422
    assert "another request" in response.get_json()["msg"]
    assert door.job_count() == 1


def test_keys_of_two_api_keys_do_not_meet(door: Door) -> None:
    door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
    other = door.new_key("other", "orders:write")

    response = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async", API_Authorization=other)

    assert "Idempotent-Replayed" not in response.headers
    assert door.job_count() == 2


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "ä", '"unclosed', "tab\there"])
def test_a_key_that_is_none_is_refused(door: Door, key: str) -> None:
    response = door.post(BATCH, Idempotency_Key=key)

    assert response.status_code == 400
    assert "Idempotency-Key" in response.get_json()["msg"]
    assert door.job_count() == 0


def test_racing_first_requests_make_one_job(door: Door) -> None:
    locations: list[str] = []

    def ask() -> None:
        response = door.post(BATCH, Idempotency_Key="k-1", Prefer="respond-async")
        locations.append(response.headers["Location"])

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()

    assert len(locations) == 8
    assert len(set(locations)) == 1
    assert door.job_count() == 1
