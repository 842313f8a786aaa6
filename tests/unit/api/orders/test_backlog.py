"""How much of one API key may wait for its outcome."""

from __future__ import annotations

import pytest

from api.orders.backlog import Backlog
from api.web.errors import ApiError
from shared.persistence.core.errors import TransientError

MIB = 1024 * 1024
SHOP, OTHER = 1, 2


class Database:
    """Knows what waits, and how often it was asked."""

    def __init__(self) -> None:
        self.waiting = dict.fromkeys((SHOP, OTHER), 0)
        self.asked = 0
        self.now = 100.0
        self.away = False
        self.backlog = Backlog(self.measure, 10 * MIB, lambda: self.now)

    def measure(self, api_key_id: int) -> int:
        self.asked += 1
        if self.away:
            raise TransientError("the database is away")
        return self.waiting[api_key_id]

    def send(self, api_key_id: int, size_bytes: int) -> None:
        self.backlog.admit(api_key_id, size_bytes)
        self.waiting[api_key_id] += size_bytes


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

    database.waiting[SHOP] = 0
    database.now += 60
    for _ in range(10):
        database.send(SHOP, MIB)


def test_small_batches_seldom_ask_the_database_how_much_waits() -> None:
    database = Database()
    for _ in range(5_000):
        database.send(SHOP, 1_000)
        database.waiting[SHOP] = 0

    assert 0 < database.asked <= 5


def test_what_other_processes_accepted_is_counted() -> None:
    database = Database()
    database.waiting[SHOP] = 10 * MIB

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

    def slowly(api_key_id: int) -> int:
        database.now += 2.0
        return measure(api_key_id)

    database.backlog = Backlog(slowly, 10 * MIB, lambda: database.now)
    for _ in range(4):
        database.send(SHOP, 2 * MIB)
        database.waiting[SHOP] = 0
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
    database = Database()

    Backlog(database.measure, 0).admit(SHOP, 100 * MIB)

    assert database.asked == 0
