"""Slice events over a real Redis, one that goes away and comes back included."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import redis
import uuid6

from shared.events import JobEvents, Listener

if TYPE_CHECKING:
    from shared.settings import Settings


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    made = Listener(settings)
    yield made
    made.close()


def until_subscribed(listener: Listener) -> None:
    with listener.waiting(uuid6.uuid7()) as waiter:
        started = time.monotonic()
        assert not waiter.wait(1, 5)  # ends early: the subscription begins
        assert time.monotonic() - started < 4


def test_a_waiter_hears_of_all_slices_of_its_job_and_of_no_other(
    settings: Settings, listener: Listener
) -> None:
    until_subscribed(listener)
    events, mine, other = JobEvents(settings), uuid6.uuid7(), uuid6.uuid7()

    with listener.waiting(mine) as waiter:
        events.announce(other, 0)
        events.announce(mine, 1)
        events.announce(mine, 1)
        assert not waiter.wait(2, 0.3)
        events.announce(mine, 0)
        assert waiter.wait(2, 5)


def test_one_message_tells_of_slices_of_several_jobs(settings: Settings, listener: Listener) -> None:
    until_subscribed(listener)
    one, two = uuid6.uuid7(), uuid6.uuid7()

    with listener.waiting(one) as first, listener.waiting(two) as second:
        JobEvents(settings).announce_all([(one, 0), (two, 0), (one, 1)])
        assert first.wait(2, 5)
        assert second.wait(1, 5)


def test_two_waiters_of_one_job_both_hear(settings: Settings, listener: Listener) -> None:
    until_subscribed(listener)
    job_id = uuid6.uuid7()

    with listener.waiting(job_id) as one, listener.waiting(job_id) as two:
        JobEvents(settings).announce(job_id, 0)
        assert one.wait(1, 5)
        assert two.wait(1, 5)


def test_an_event_wakes_a_waiter_once(settings: Settings, listener: Listener) -> None:
    until_subscribed(listener)
    job_id = uuid6.uuid7()

    with listener.waiting(job_id) as waiter:
        JobEvents(settings).announce(job_id, 0)
        assert waiter.wait(1, 5)
        assert not waiter.wait(1, 0.1)


def test_after_a_lost_connection_it_listens_again_and_has_everybody_look(
    settings: Settings, listener: Listener
) -> None:
    until_subscribed(listener)
    job_id = uuid6.uuid7()

    with redis.Redis.from_url(settings.redis_url) as administration, listener.waiting(job_id) as waiter:
        administration.client_kill_filter(_type="pubsub")
        started = time.monotonic()
        assert not waiter.wait(1, 10)
        assert time.monotonic() - started < 5
        JobEvents(settings).announce(job_id, 0)
        assert waiter.wait(1, 5)


def test_noise_on_the_channel_is_passed_over(settings: Settings, listener: Listener) -> None:
    until_subscribed(listener)
    job_id = uuid6.uuid7()

    with redis.Redis.from_url(settings.redis_url) as noisy, listener.waiting(job_id) as waiter:
        for noise in (b"", b"\xff\xff", b"x y", f"{job_id} x".encode(), b"1" * 10_000):
            noisy.publish("ordermill:slices-closed", noise)
        JobEvents(settings).announce(job_id, 0)
        assert waiter.wait(1, 5)


def test_announcing_with_redis_away_fails_nobody(settings: Settings) -> None:
    away = JobEvents(replace(settings, redis_url="redis://127.0.0.1:9/0"))

    away.announce(uuid6.uuid7(), 0)


def test_waits_that_are_over_leave_no_thread_and_no_waiter(listener: Listener) -> None:
    threads = threading.active_count()
    for _ in range(50):
        with listener.waiting(uuid6.uuid7()):
            pass

    assert threading.active_count() <= threads + 1
    assert listener.waiting_count() == 0
