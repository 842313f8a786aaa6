"""How much of one client may wait for its outcome, and how much of it goes with what others sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.orders.backlog import Backlog
from api.web.errors import ApiError
from shared.domain.slicing import BatchSize
from shared.persistence.core.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 1024 * 1024
SHOP, OTHER = 1, 2
LANE, SURPLUS = "waited", "waited.surplus"
SHARE = 100


class Database:
    """Knows what waits, and how often it was asked."""

    def __init__(self, most_bytes: int = 10 * MIB, lane_share: int = 0) -> None:
        self.waiting: dict[int, dict[str, BatchSize]] = {SHOP: {}, OTHER: {}}
        self.asked = 0
        self.now = 100.0
        self.away = False
        self.backlog = Backlog(self.measure, most_bytes, lane_share, lambda: self.now)

    def measure(self, client_id: int) -> dict[str, BatchSize]:
        self.asked += 1
        if self.away:
            raise TransientError("the database is away")
        return dict(self.waiting[client_id])

    def send(self, client_id: int, size_bytes: int, weight: int = 1, lane: str = LANE) -> str:
        into = self.backlog.admit(client_id, BatchSize(size_bytes, weight), lane, SURPLUS)
        waits = self.waiting[client_id].get(into, BatchSize(0, 0))
        self.waiting[client_id][into] = BatchSize(waits.size_bytes + size_bytes, waits.weight + weight)
        return into


def test_what_waits_is_bounded_and_another_key_has_a_bound_of_its_own() -> None:
    database = Database()
    for _ in range(10):
        database.send(SHOP, MIB)

    with pytest.raises(ApiError) as caught:
        database.send(SHOP, 1)
    database.send(OTHER, 9 * MIB)

    assert caught.value.status == 429
    assert int(caught.value.headers["Retry-After"]) >= 1
    assert f"undecidedMaxBytes, which is {10 * MIB}" in caught.value.msg


def test_a_key_whose_orders_are_decided_is_let_in_again() -> None:
    database = Database()
    database.send(SHOP, 10 * MIB)
    with pytest.raises(ApiError):
        database.send(SHOP, MIB)

    database.waiting[SHOP] = {}
    database.now += 60
    for _ in range(10):
        database.send(SHOP, MIB)


def test_small_batches_seldom_ask_the_database_how_much_waits() -> None:
    database = Database()
    for _ in range(5_000):
        database.send(SHOP, 1_000)
        database.waiting[SHOP] = {}

    assert 0 < database.asked <= 5


def test_what_other_processes_accepted_is_counted() -> None:
    database = Database()
    database.waiting[SHOP] = {LANE: BatchSize(10 * MIB, 1)}

    with pytest.raises(ApiError):
        database.send(SHOP, 2 * MIB)


def test_a_batch_that_is_too_large_by_itself_is_let_in_alone() -> None:
    database = Database()

    database.send(SHOP, 11 * MIB)
    with pytest.raises(ApiError):
        database.send(SHOP, 1)


def test_a_slow_count_of_what_waits_is_asked_for_less_often() -> None:
    database = Database()
    measure = database.backlog._measure  # noqa: SLF001 - what it asks the database with

    def slowly(client_id: int) -> Mapping[str, BatchSize]:
        database.now += 2.0
        return measure(client_id)

    database.backlog = Backlog(slowly, 10 * MIB, 0, lambda: database.now)
    for _ in range(4):
        database.send(SHOP, 2 * MIB)
        database.waiting[SHOP] = {}
        database.now += 10

    assert database.asked == 1


def test_while_the_database_is_away_what_was_known_counts() -> None:
    database = Database()
    database.away = True

    for _ in range(5):
        database.send(SHOP, 2 * MIB)
    with pytest.raises(ApiError):
        database.send(SHOP, 2 * MIB)


def test_without_a_limit_the_database_is_not_asked_how_much_waits() -> None:
    database = Database(most_bytes=0)

    database.send(SHOP, 100 * MIB)

    assert database.asked == 0


def test_what_a_client_sends_beyond_its_share_of_a_lane_goes_after_the_others() -> None:
    database = Database(lane_share=SHARE)

    sent = [database.send(SHOP, 1, weight=40) for _ in range(4)]

    assert sent == [LANE, LANE, SURPLUS, SURPLUS]
    # Each lane has a share of its own, and so has each client; what went after does not count in it.
    assert database.send(SHOP, 1, weight=40, lane="small") == "small"
    assert database.send(OTHER, 1, weight=SHARE) == LANE
    assert database.send(SHOP, 1, weight=20) == LANE


def test_a_batch_that_is_beyond_the_share_by_itself_goes_after_the_others_and_asks_nobody() -> None:
    database = Database(lane_share=SHARE)

    assert database.send(SHOP, 1, weight=SHARE + 1) == SURPLUS
    assert database.asked == 0


def test_what_is_decided_leaves_room_in_the_share_without_asking() -> None:
    database = Database(lane_share=SHARE)
    for _ in range(50):
        assert database.send(SHOP, 1, weight=SHARE) == LANE
        database.backlog.decided(SHOP, BatchSize(1, SHARE), LANE)

    assert database.asked == 0


def test_a_share_is_free_again_when_the_database_says_so() -> None:
    database = Database(lane_share=SHARE)
    assert [database.send(SHOP, 1, weight=80) for _ in range(2)] == [LANE, SURPLUS]

    database.waiting[SHOP] = {}
    database.now += 60

    assert database.send(SHOP, 1, weight=80) == LANE


def test_what_is_seen_decided_after_the_database_counted_it_is_not_counted_twice() -> None:
    database = Database(lane_share=SHARE)
    assert [database.send(SHOP, 1, weight=60) for _ in range(2)] == [LANE, SURPLUS]

    database.backlog.decided(SHOP, BatchSize(1, 60), LANE)

    assert database.send(SHOP, 1, weight=60) == LANE
