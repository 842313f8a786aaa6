"""Cutting a batch into slices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE, SlicePlan, plan_slices


def test_a_small_batch_travels_one_order_per_task() -> None:
    plan = plan_slices(3, sync_max_orders=3, slice_max_orders=250)

    assert plan == SlicePlan(queue=SMALL_QUEUE, ranges=(range(1), range(1, 2), range(2, 3)))


def test_a_large_batch_travels_in_slices() -> None:
    plan = plan_slices(501, sync_max_orders=100, slice_max_orders=250)

    assert plan == SlicePlan(queue=LARGE_QUEUE, ranges=(range(250), range(250, 500), range(500, 501)))


def test_no_orders_make_no_slices() -> None:
    assert plan_slices(0, sync_max_orders=100, slice_max_orders=250).ranges == ()


@given(st.integers(0, 2_000), st.integers(0, 200), st.integers(1, 300))
def test_slices_cover_the_batch_in_order_and_none_is_empty(
    total: int, sync_max_orders: int, slice_max_orders: int
) -> None:
    plan = plan_slices(total, sync_max_orders=sync_max_orders, slice_max_orders=slice_max_orders)

    assert [position for positions in plan.ranges for position in positions] == list(range(total))
    assert all(0 < len(positions) <= max(1, slice_max_orders) for positions in plan.ranges)
