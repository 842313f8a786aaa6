"""Cutting a batch into slices, choosing their lane, and putting slices into messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.batch_options import DecisionOptions
from shared.domain.slicing import (
    FULL_MESSAGE,
    LARGE_QUEUE,
    LARGE_SURPLUS_QUEUE,
    MESSAGE_SLICES,
    SLICE_QUEUES,
    SMALL_QUEUE,
    SURPLUS_OF,
    WAITED_QUEUE,
    WAITED_SURPLUS_QUEUE,
    Size,
    SliceLimits,
    SlicePlan,
    handfuls,
    lane_of,
    plan_slices,
)

LIMITS = SliceLimits(
    small_max_orders=25,
    small_max_bytes=1_000_000,
    waited_slice_max_orders=20,
    slice_max_orders=50,
    slice_max_bytes=1_000,
    slice_max_lines=100,
)


def plan(*sizes: Size, waits: bool = True, times: int = 1, **options: bool) -> SlicePlan:
    all_of_them = sizes * times
    size_bytes = sum(size.size_bytes for size in all_of_them)
    queue = lane_of(len(all_of_them), size_bytes, waits=waits, limits=LIMITS)
    return plan_slices(all_of_them, queue=queue, limits=LIMITS, options=DecisionOptions(**options))


def lengths(made: SlicePlan) -> list[int]:
    return [len(positions) for positions in made.ranges]


@pytest.mark.parametrize(
    ("orders", "waits", "queue"),
    [
        (1, True, SMALL_QUEUE),
        (25, True, SMALL_QUEUE),
        (26, True, WAITED_QUEUE),
        (100_000, True, WAITED_QUEUE),
        (1, False, LARGE_QUEUE),
        (100_000, False, LARGE_QUEUE),
    ],
)
def test_who_waits_goes_before_who_does_not_whatever_the_size(orders: int, waits: bool, queue: str) -> None:
    assert plan(Size(1, 1), times=orders, waits=waits).queue == queue


def test_what_goes_in_order_is_not_cut_finely_for_nobody_shares_it() -> None:
    assert lengths(plan(Size(1, 1), times=25)) == [1] * 25
    assert lengths(plan(Size(1, 1), times=25, ordered=True)) == [25]
    assert lengths(plan(Size(1, 50), times=5, ordered=True)) == [2, 2, 1]
    assert plan(Size(1, 1), times=25, ordered=True).queue == SMALL_QUEUE


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("size", [Size(1, 1), Size(700, 1), Size(1, 90)])
def test_an_atomic_batch_is_one_slice_whatever_it_holds(size: Size, waits: bool) -> None:
    made = plan(size, times=300, waits=waits, atomic=True, ordered=True)

    assert lengths(made) == [300]
    assert handfuls([7], made.queue, made.loads) == [7]


def test_a_slice_of_a_dry_run_is_as_large_as_two_full_messages() -> None:
    assert lengths(plan(Size(1, 1), times=600, waits=False, dry_run=True, ordered=True)) == [500, 100]
    assert lengths(plan(Size(1, 1), times=250, dry_run=True, ordered=True)) == [200, 50]
    assert lengths(plan(Size(700, 1), times=20, waits=False, dry_run=True, ordered=True)) == [14, 6]
    assert lengths(plan(Size(1, 90), times=20, waits=False, dry_run=True, ordered=True)) == [11, 9]
    assert lengths(plan(Size(1, 1), times=25, dry_run=True, ordered=True)) == [25]


def test_a_few_huge_orders_do_not_go_with_the_small_ones() -> None:
    # Within the first queue nobody yields to anybody.
    assert plan(Size(40_000, 1), times=25).queue == SMALL_QUEUE
    assert plan(Size(40_001, 1), times=25).queue == WAITED_QUEUE
    assert plan(Size(1_000_001, 1)).queue == WAITED_QUEUE


def test_a_small_batch_travels_one_order_a_slice_and_in_one_message() -> None:
    made = plan(Size(10, 1), times=25)

    assert lengths(made) == [1] * 25
    assert sum(made.loads) == FULL_MESSAGE


def test_a_batch_that_is_waited_for_travels_in_shorter_slices_than_one_that_is_not() -> None:
    waited, large = (plan(Size(10, 1), times=101, waits=waits) for waits in (True, False))

    assert lengths(waited) == [20] * 5 + [1]
    assert lengths(large) == [50, 50, 1]
    assert waited.loads[0] == large.loads[0] == FULL_MESSAGE // 5


def test_a_slice_holds_no_more_bytes_than_it_may() -> None:
    assert lengths(plan(Size(400, 1), times=7, waits=False)) == [2, 2, 2, 1]


def test_a_slice_holds_no_more_lines_than_it_may() -> None:
    assert lengths(plan(Size(10, 30), times=7, waits=False)) == [3, 3, 1]


def test_an_order_that_is_larger_than_a_slice_stands_alone_in_one() -> None:
    made = plan(Size(10, 1), Size(5_000, 1), Size(10, 1), Size(10, 900), Size(10, 1), waits=False)

    assert lengths(made) == [1, 1, 1, 1, 1]
    # And, being as much as a whole message or more, alone in its message.
    assert made.loads[1] >= FULL_MESSAGE
    assert made.loads[3] >= FULL_MESSAGE


def test_a_few_orders_that_nobody_waits_for_share_their_messages_with_others() -> None:
    (load,) = plan(Size(10, 1), waits=False).loads

    assert [len(run) for run in runs(handfuls(range(1, 51), LARGE_QUEUE, [load] * 50))] == [25, 25]


def test_what_is_beyond_a_clients_share_travels_as_large_batches_do() -> None:
    waited, large = (
        plan_slices([Size(10, 1)] * 101, queue=SURPLUS_OF[queue], limits=LIMITS)
        for queue in (WAITED_QUEUE, LARGE_QUEUE)
    )

    assert (waited.queue, large.queue) == (WAITED_SURPLUS_QUEUE, LARGE_SURPLUS_QUEUE)
    assert lengths(waited) == [20] * 5 + [1]
    assert lengths(large) == [50, 50, 1]
    assert SURPLUS_OF[SMALL_QUEUE] == WAITED_SURPLUS_QUEUE


def test_no_orders_make_no_slices() -> None:
    assert plan().ranges == ()


def runs(messages: list[int | list[int]]) -> list[list[int]]:
    return [one if isinstance(one, list) else [one] for one in messages]


@given(
    st.lists(st.builds(Size, st.integers(1, 1_500), st.integers(1, 150)), max_size=300),
    st.sampled_from(SLICE_QUEUES),
    st.integers(0, 60),
    st.integers(1, 60),
    st.integers(1, 60),
)
def test_slices_cover_the_batch_in_order_and_hold_no_more_than_they_may(
    sizes: list[Size], queue: str, small: int, waited: int, most: int
) -> None:
    limits = SliceLimits(
        small_max_orders=small,
        small_max_bytes=1_000_000,
        waited_slice_max_orders=waited,
        slice_max_orders=most,
        slice_max_bytes=1_000,
        slice_max_lines=100,
    )

    made = plan_slices(sizes, queue=queue, limits=limits)

    assert [position for positions in made.ranges for position in positions] == list(range(len(sizes)))
    for positions in made.ranges:
        held = sizes[positions.start : positions.stop]
        assert 0 < len(held) <= most
        assert len(held) == 1 or sum(size.size_bytes for size in held) <= 1_000
        assert len(held) == 1 or sum(size.lines for size in held) <= 100


@given(st.sampled_from(SLICE_QUEUES), st.lists(st.integers(40, 3_000), max_size=120))
def test_messages_carry_every_slice_once_in_order_and_hardly_more_than_a_message_may(
    queue: str, loads: list[int]
) -> None:
    carried = runs(handfuls(range(len(loads)), queue, loads))

    assert [slice_id for run in carried for slice_id in run] == list(range(len(loads)))
    for run in carried:
        # It is cut where the next slice begins.
        assert len(run) == 1 or sum(loads[slice_id] for slice_id in run) < FULL_MESSAGE + max(loads)


@pytest.mark.parametrize("queue", SLICE_QUEUES)
def test_slices_of_unknown_size_are_taken_for_full_ones(queue: str) -> None:
    assert len(handfuls(range(4 * MESSAGE_SLICES[queue]), queue)) == 4
