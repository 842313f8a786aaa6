"""The hostile checks as a list: each can be found by its name, says what it does, and can break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import click
import pytest

from shared.settings import Settings
from tests.hostile.__main__ import CHECKS, chosen_checks
from tests.hostile.check import Cost, run_check
from tests.hostile.ground import Ground


def nothing() -> AbstractContextManager[Settings]:
    raise AssertionError("no check of these needs a database")


def what_costs_too_much(_: Ground) -> Iterator[Cost]:
    """Costs more than it may, and says so."""
    yield Cost("bytes", 11, "bytes", 10)
    yield Cost("seconds", 99, "s")


def what_is_not_so(_: Ground) -> Iterator[Cost]:
    """Finds after a measurement that something is not as it must be."""
    yield Cost("bytes", 9, "bytes", 10)
    raise AssertionError("the door is open")


def test_every_check_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
    assert [check.__name__ for check in CHECKS if not check.__doc__] == []


def test_a_check_is_chosen_by_a_part_of_its_name() -> None:
    assert [check.__name__ for check in chosen_checks(["does-not-come-back"])] == [
        "what_is_refused_does_not_come_back_whole"
    ]
    assert chosen_checks([]) == list(CHECKS)
    with pytest.raises(click.UsageError, match="'no_such_check'"):
        chosen_checks(["no-such-check"])


def test_what_costs_more_than_it_may_is_not_kept() -> None:
    result = run_check(what_costs_too_much, Ground(nothing))

    assert [cost.is_kept for cost in result.costs] == [False, True]
    assert not result.is_kept


def test_a_check_that_fails_is_told_and_ends_no_other() -> None:
    result = run_check(what_is_not_so, Ground(nothing))

    assert (result.fault, result.is_kept) == ("AssertionError: the door is open", False)
