"""The one backoff, by which every pause between tries grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.backoff import Backoff, jittered


def test_each_pause_is_twice_the_one_before_up_to_the_most() -> None:
    backoff = Backoff(first_seconds=0.5, most_seconds=3)

    assert [backoff.after(tries) for tries in (1, 2, 3, 4, 5)] == [0.5, 1, 2, 3, 3]


def test_a_pause_grows_by_the_factor_that_is_given() -> None:
    backoff = Backoff(first_seconds=1, factor=1.5)

    assert [backoff.after(tries) for tries in (1, 2, 3)] == [1, 1.5, 2.25]


def test_no_number_of_tries_is_too_large() -> None:
    assert Backoff(first_seconds=1, most_seconds=30).after(1_000_000) == 30
    assert Backoff(first_seconds=1).after(1_000_000) == 2.0**60


def test_the_pauses_are_listed_up_to_the_one_that_stays() -> None:
    assert Backoff(first_seconds=30, most_seconds=200).pauses() == [30, 60, 120, 200]
    assert Backoff(first_seconds=30, most_seconds=10).pauses() == [10]
    assert len(Backoff(first_seconds=0, most_seconds=10).pauses()) == 61


@given(st.floats(0, 1), st.floats(0, 1))
def test_jitter_moves_a_pause_by_its_share_at_most(share: float, luck: float) -> None:
    backoff = Backoff(first_seconds=10, most_seconds=10, jitter=share)

    assert 10 * (1 - share) <= backoff.after(3, luck) + 1e-9
    assert backoff.after(3, luck) <= 10 * (1 + share) + 1e-9
    assert jittered(10, share, 0.5) == 10
