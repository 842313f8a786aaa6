"""Rounds: whoever comes alone waits for nobody, whoever comes late goes with the others, and nobody stays."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import pytest

from api.orders.group_commit import ROUNDS_MAX, Member, Rounds
from tests.support.until import until

FOR_EVER = 60.0
"""So long does a round keep others, if it does not end: no test takes that much time."""


@dataclass
class Door:
    """Lets through one round after another, when it is told to, and keeps what they were."""

    rounds: list[list[Member]] = field(default_factory=list)
    open: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    fault: BaseException | None = None

    def __call__(self, together: list[Member]) -> None:
        self.rounds.append(together)
        assert self.open.acquire(timeout=10)
        if self.fault is not None:
            raise self.fault


def member(size_bytes: int = 1) -> Member:
    return Member(id=uuid4(), size_bytes=size_bytes)


def come(door: Door, rounds: Rounds[Member], *members: Member) -> list[threading.Thread]:
    """Each in a thread of its own, one after another: the first of them begin rounds, the others wait."""
    threads = []
    for nth, one in enumerate(members, start=1):
        threads.append(threading.Thread(target=rounds.join, args=(one,), daemon=True))
        threads[-1].start()
        until(partial(have_come, door, rounds, nth))
    return threads


def have_come(door: Door, rounds: Rounds[Member], members: int) -> bool:
    return len(door.rounds) + rounds.waiting_count() == members


def has_held(door: Door, rounds: int) -> bool:
    return len(door.rounds) >= rounds


def all_gone(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_whoever_comes_alone_waits_for_nobody() -> None:
    done: list[list[Member]] = []
    rounds: Rounds[Member] = Rounds(done.append, 100, FOR_EVER)
    ones = [member() for _ in range(ROUNDS_MAX)]

    for one in ones:
        rounds.join(one)

    assert done == [[one] for one in ones]


def test_those_who_come_while_rounds_are_under_way_go_together_when_one_ends() -> None:
    door = Door()
    rounds = Rounds(door, 100, FOR_EVER)
    first, late = [member() for _ in range(ROUNDS_MAX)], [member() for _ in range(5)]
    threads = come(door, rounds, *first, *late)
    door.open.release(10)

    rounds.end(first[0].id)

    assert all_gone(threads)
    assert door.rounds == [*([one] for one in first), late]


def test_the_end_of_one_who_led_nothing_begins_nothing() -> None:
    door = Door()
    rounds = Rounds(door, 100, FOR_EVER)
    first, late = [member() for _ in range(ROUNDS_MAX)], member()
    come(door, rounds, *first, late)

    rounds.end(late.id)
    rounds.end(uuid4())

    assert len(door.rounds) == ROUNDS_MAX
    door.open.release(10)


def test_a_round_that_does_not_end_keeps_nobody_for_long() -> None:
    done: list[list[Member]] = []
    rounds = Rounds(done.append, 100, 0.05)

    for _ in range(ROUNDS_MAX + 1):
        rounds.join(member())

    assert [len(together) for together in done] == [1] * (ROUNDS_MAX + 1)


def test_when_the_leader_meets_a_fault_the_others_go_on_and_so_does_the_next_round() -> None:
    door = Door(fault=RuntimeError("ours"))
    rounds = Rounds(door, 100, FOR_EVER)
    raised: list[str] = []
    threading.excepthook, before = lambda args: raised.append(str(args.exc_value)), threading.excepthook
    try:
        first, late = [member() for _ in range(ROUNDS_MAX)], [member() for _ in range(3)]
        threads = come(door, rounds, *first, *late)
        door.open.release(10)

        assert all_gone(threads)
    finally:
        threading.excepthook = before
    # Each leader was told; whoever only went with one was not.
    assert raised == ["ours"] * len(door.rounds)
    assert sum(map(len, door.rounds)) == len(first) + len(late)
    door.fault = None
    rounds.join(member())


@pytest.mark.parametrize(
    ("sizes", "shared"), [([60, 40], [2]), ([60, 41], [1, 1]), ([200, 1], [1, 1]), ([1] * 20, [20])]
)
def test_a_round_holds_no_more_than_so_many_bytes_or_one_member(sizes: list[int], shared: list[int]) -> None:
    door = Door()
    rounds = Rounds(door, 100, FOR_EVER)
    first = [member() for _ in range(ROUNDS_MAX)]
    threads = come(door, rounds, *first, *(member(size) for size in sizes))
    door.open.release(30)
    # Each that ends lets one more begin.
    for number in range(len(shared)):
        until(partial(has_held, door, ROUNDS_MAX + number))
        rounds.end(door.rounds[number][0].id)

    assert all_gone(threads)
    assert [len(together) for together in door.rounds[ROUNDS_MAX:]] == shared
