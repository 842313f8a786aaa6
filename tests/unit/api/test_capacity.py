"""Concurrency limits of a process: requests, large reads and waits, by client and in all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.capacity import Capacity, CapacityLimits, capacity_limits, on_waiting
from api.web.errors import ApiError
from shared.settings import Settings

LIMITS = CapacityLimits(
    requests_max=4,
    requests_max_per_client=3,
    waiters_max=2,
    waiters_max_per_client=1,
    followers_max=2,
    followers_max_per_client=2,
    heavy_max_per_client=1,
)
BRASS, RED = 1, 2


@pytest.mark.parametrize("threads", [2, 8, 64, 256, 1_000])
def test_waiting_never_takes_the_last_threads_and_no_client_takes_all_others(threads: int) -> None:
    limits = capacity_limits(replace(Settings(), api_threads=threads, waiters_max=10_000))

    assert limits.waiters_max + limits.requests_max <= threads
    assert limits.requests_max >= max(1, threads // 4)
    assert limits.requests_max_per_client <= max(1, limits.requests_max // 2)


def test_a_client_has_so_many_requests_at_once_and_others_are_admitted_then() -> None:
    capacity = Capacity(LIMITS)
    permits = [capacity.admit(BRASS, heavy=False) for _ in range(3)]

    with pytest.raises(ApiError, match="requestsMaxPerKey") as refused:
        capacity.admit(BRASS, heavy=False)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    capacity.admit(RED, heavy=False)
    with pytest.raises(ApiError) as refused:
        capacity.admit(RED, heavy=False)
    assert refused.value.status == 503

    permits[0].release()
    permits[0].release()
    capacity.admit(BRASS, heavy=False)
    assert capacity.requests.held_count() == 4


def test_who_waits_does_not_count_as_a_request_and_too_many_do_not_wait() -> None:
    capacity = Capacity(LIMITS)
    told: list[int] = []
    on_waiting.set(lambda: told.append(1))
    waits, does_not, other = (capacity.admit(client, heavy=False) for client in (BRASS, BRASS, RED))

    assert waits.begin_waiting()
    assert waits.begin_waiting()
    assert not does_not.begin_waiting()
    assert other.begin_waiting()

    assert (capacity.requests.held_count(), capacity.waiters.held_count(), told) == (1, 2, [1, 1])
    for permit in (waits, does_not, other):
        permit.release()
    assert (capacity.requests.held_count(), capacity.waiters.held_count()) == (0, 0)


def test_large_reads_of_a_client_leave_connections_to_others() -> None:
    capacity = Capacity(LIMITS)
    capacity.admit(BRASS, heavy=True)

    assert not capacity.admit(BRASS, heavy=False).become_heavy(0)
    capacity.admit(RED, heavy=True)
