from __future__ import annotations

import time

import pytest

from shared.persistence.errors import DatabaseAwayError, TransientError
from worker.settle.patience import Patience


class Outage:
    """A database that is away for the first so many calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def ask(self) -> str:
        if self.left:
            self.left -= 1
            raise DatabaseAwayError("the database cannot be reached")
        return "here"


def test_an_outage_is_waited_out() -> None:
    outage = Outage(calls=3)

    assert Patience(30).while_away(outage.ask) == "here"


def test_patience_has_an_end() -> None:
    begun = time.monotonic()

    with pytest.raises(DatabaseAwayError):
        Patience(0.3).while_away(Outage(calls=10**6).ask)

    assert 0.3 <= time.monotonic() - begun < 5


def test_what_is_spent_on_one_outage_is_not_there_for_the_next() -> None:
    patience = Patience(0.2)
    patience.while_away(Outage(calls=2).ask)
    time.sleep(0.2)

    with pytest.raises(DatabaseAwayError):
        patience.while_away(Outage(calls=1).ask)


def test_other_faults_are_for_others() -> None:
    calls = []

    def deadlock() -> None:
        calls.append(1)
        raise TransientError("DeadlockDetected")

    with pytest.raises(TransientError):
        Patience(30).while_away(deadlock)
    assert len(calls) == 1
