"""The memory budget: what is reserved of it, refused and released."""

from __future__ import annotations

import pytest

from api.memory_budget import MemoryBudget
from api.web.errors import ApiError

MIB = 1 << 20


def test_what_does_not_fit_beside_the_others_is_503_and_may_come_again() -> None:
    budget = MemoryBudget(10 * MIB)
    with budget.reservation() as first, budget.reservation() as second:
        first.reserve(6 * MIB)
        second.reserve(4 * MIB)
        with pytest.raises(ApiError) as refused:
            second.reserve(1)

    assert refused.value.status == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    with budget.reservation() as again:
        again.reserve(10 * MIB)


def test_a_reservation_alone_fits_whatever_its_size() -> None:
    budget = MemoryBudget(MIB)

    with budget.reservation() as alone:
        alone.reserve(5 * MIB)
        alone.reserve(5 * MIB)
        # A small one as well, though the budget is more than spent.
        with budget.reservation() as small:
            small.reserve(1000)


def test_a_reservation_that_was_refused_releases_what_it_had() -> None:
    budget = MemoryBudget(10 * MIB)
    with budget.reservation() as first:
        first.reserve(6 * MIB)
        with budget.reservation() as second:
            second.reserve(3 * MIB)
            with pytest.raises(ApiError):
                second.reserve(3 * MIB)
        with budget.reservation() as third:
            third.reserve(4 * MIB)


def test_what_a_reservation_releases_is_free_for_others_and_released_once() -> None:
    budget = MemoryBudget(10 * MIB)
    first, second = budget.reservation(), budget.reservation()

    first.reserve(9 * MIB)
    first.shrink(2 * MIB)
    second.reserve(8 * MIB)
    second.release()
    second.release()

    with budget.reservation() as third:
        third.reserve(8 * MIB)
        with pytest.raises(ApiError):
            third.reserve(MIB)
