"""Old orders are loaded with the numbers that they have while others come in: nobody takes theirs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.orders import order
from tests.support.placed_orders import told
from tests.support.settling import settle_slice

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

LOADED = int(os.environ.get("ORDERMILL_LOADED_ORDERS", "2000"))
"""How many; 50,000 take minutes."""

_WHILE = "SELECT number FROM requested_numbers ORDER BY number"


def numbers(shop: Shop) -> list[int]:
    return [row.number for row in shop.api.rows(_WHILE)]


def test_the_numbers_of_a_batch_are_requested_with_its_acceptance(shop: Shop) -> None:
    shop.api.post({"a": order(), "b": order(orderNumber=7)}, Prefer="respond-async")
    shop.api.post({"a": order(orderNumber="9"), "b": order(orderNumber=9)}, Prefer="respond-async")

    assert numbers(shop) == [7, 9]


def test_a_single_order_and_batches_without_numbers_request_none(shop: Shop) -> None:
    shop.api.post({"a": order(orderNumber=7)}, Prefer="respond-async")
    shop.api.post({"a": order(), "b": order(orderNumber="x")}, Prefer="respond-async")

    assert numbers(shop) == []


def test_loading_old_orders_with_their_own_numbers_costs_no_false_minus_five(shop: Shop) -> None:
    old = {f"x{n}": order(orderNumber=n, adjustStock=False) for n in range(1, LOADED + 1)}
    loaded = shop.api.post(old, Prefer="respond-async").headers["Location"]

    singles = [
        shop.api.post({"new": order(adjustStock=False)}, Prefer="respond-async").headers["Location"]
        for _ in range(50)
    ]
    # The singles first, as workers do: somebody may wait for them.
    for slice_id, _, _ in shop.api.open_slices()[::-1]:
        settle_slice(shop.context, slice_id)

    assert {one["status"] for one in told(shop.api.get(f"{loaded}/results")).values()} == {"ok"}
    taken = [told(shop.api.get(f"{path}/results"))["new"]["orders"][0] for path in singles]
    assert min(taken) > LOADED
    assert len(set(taken)) == 50
