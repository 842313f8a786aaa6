"""The retry decision, as a table: what became of slices in the way of which they met what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.persistence.core.errors import (
    CommitUnknownError,
    DatabaseAwayError,
    IdleTooLongError,
    LimitError,
    PermanentError,
    TransientError,
    UnableError,
)
from worker.settle.retry import Decision, Into, Leave, Retry, RetryLimits, Split, Tried, decide
from worker.settle.time_limits import OrderTooSlowError, TimeUpError

LIMITS = RetryLimits(tries_max=3, lock_seconds=10, outage_seconds=20)

SEVERAL = Tried(slices=5, orders=250)
SLICE = Tried(slices=1, orders=50)
APART = replace(SLICE, apart=True)
CUT = replace(SLICE, apart=True, cut=True)
ORDER = Tried(slices=1, orders=1)
ATOMIC = replace(SLICE, atomic=True)

AWAY, UNKNOWN = DatabaseAwayError("away"), CommitUnknownError("away")
LOCK, DEADLOCK, FULL = LimitError("lock"), TransientError("deadlock"), UnableError("full")
IDLE, MEMORY = IdleTooLongError("idle"), MemoryError()
DATA, OURS = PermanentError("data"), KeyError("ours")
TIME, ORDER_TIME = TimeUpError(), OrderTooSlowError()

INTO_SLICES, INTO_ORDERS, INTO_PIECES = (Split(into) for into in (Into.SLICES, Into.SAVEPOINTS, Into.PIECES))

TABLE: list[tuple[str, BaseException, Tried, Decision]] = [
    ("an outage is waited out", AWAY, SEVERAL, Retry(0.1, at_once=True)),
    ("longer each time", AWAY, replace(SLICE, tries=3), Retry(0.4, at_once=True)),
    ("up to two seconds", AWAY, replace(SLICE, tries=30), Retry(2.0, at_once=True)),
    ("an outage is waited for so long", AWAY, replace(SLICE, spent_seconds=20), Leave("away", all=True)),
    ("a commit that is not known is asked for again", UNKNOWN, SLICE, Retry(0.1, at_once=True)),
    ("a deadlock is tried again", DEADLOCK, SLICE, Retry(0.1)),
    ("by all together", DEADLOCK, replace(SEVERAL, tries=2), Retry(0.2)),
    ("without a pause after others", DEADLOCK, replace(SLICE, others_wait=True), Retry(0.0)),
    ("a few times", DEADLOCK, replace(SEVERAL, tries=3), Leave("deadlock")),
    ("a lock keeps no others", LOCK, SEVERAL, INTO_SLICES),
    ("a lock is waited for again", LOCK, SLICE, Retry(0.1)),
    ("after the others", LOCK, replace(SLICE, others_wait=True), Retry(0.0)),
    ("not for ever", LOCK, replace(SLICE, waited_seconds=10), Leave("lock")),
    ("nor too often", LOCK, replace(SLICE, tries=3), Leave("lock")),
    ("a lock condemns nobody", LOCK, replace(ORDER, tries=3, waited_seconds=99), Leave("lock")),
    ("what the server cannot do keeps no others", FULL, SEVERAL, INTO_SLICES),
    ("and waits for better times", FULL, SLICE, Leave("full")),
    ("an order behind its savepoint too", FULL, APART, Leave("full")),
    ("whose fault it is shows alone", DATA, SEVERAL, INTO_SLICES),
    ("then order by order", DATA, SLICE, INTO_ORDERS),
    ("what is still left counts", DATA, APART, Leave("data", counts=True)),
    ("ours is no other's either", OURS, SEVERAL, INTO_SLICES),
    ("nor another order's", OURS, SLICE, INTO_ORDERS),
    ("and counts", OURS, APART, Leave("KeyError", counts=True)),
    ("a slice that could not even be taken", DATA, replace(SLICE, orders=0), Leave("data", counts=True)),
    ("what needs too much memory shows alone", MEMORY, SEVERAL, INTO_SLICES),
    ("and counts as if it had ended its worker", MEMORY, SLICE, Leave("out of memory", counts=True)),
    ("our slowness is no outage", IDLE, SEVERAL, INTO_SLICES),
    ("whose it is shows in pieces", IDLE, SLICE, INTO_PIECES),
    ("and the one order counts", IDLE, ORDER, Leave("it takes too long", counts=True)),
    ("what is made whole or not at all is not", IDLE, ATOMIC, Leave("it takes too long", counts=True)),
    (
        "however long it takes",
        TIME,
        replace(ATOMIC, busy=True),
        Leave("it took all of its time", counts=True, all=True),
    ),
    ("but order by order it is tried", DATA, ATOMIC, INTO_ORDERS),
    ("cutting up is not cut up", IDLE, CUT, Leave("it takes too long", counts=True)),
    ("an order that is too slow among others", ORDER_TIME, SEVERAL, INTO_SLICES),
    ("in its slice", ORDER_TIME, SLICE, INTO_ORDERS),
    ("not even apart", ORDER_TIME, APART, INTO_PIECES),
    ("time that was spent waiting is nobody's fault", TIME, ORDER, Leave("there is no time left", all=True)),
    (
        "nor if others were there",
        TIME,
        replace(SEVERAL, others_wait=True),
        Leave("there is no time left", all=True),
    ),
    (
        "time that several spent makes each stand alone next",
        TIME,
        replace(SEVERAL, busy=True),
        Leave("it took all of its time", counts=True, all=True),
    ),
    ("time that a slice spent", TIME, replace(SLICE, busy=True), INTO_PIECES),
    (
        "time that an order spent",
        TIME,
        replace(ORDER, busy=True),
        Leave("it took all of its time", counts=True, all=True),
    ),
]


@pytest.mark.parametrize(
    ("error", "tried", "decision"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_cannot_pass_is_split_and_what_may_is_tried_again_or_left(
    error: BaseException, tried: Tried, decision: Decision
) -> None:
    assert decide(error, tried, LIMITS) == decision
