"""Unique keys: of a batch that asks for it no order is made under a key that has made one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from shared.domain.outcome import Outcome, Rejected
from shared.domain.rejections import key_exists
from shared.persistence.orders.unique_keys import claim_keys, release_keys
from worker.settle.look_up import KeyedOrder

PlaceOrders = Callable[[Sequence[KeyedOrder]], Sequence[Outcome]]


def place_under_new_keys(
    connection: Connection, orders: Sequence[KeyedOrder], place: PlaceOrders
) -> list[Outcome]:
    """The orders' outcomes, after ``place`` has written those whose keys have made none before.

    What a known key asks for now is not looked at: its order exists, whatever has changed since.
    """
    keys = [order.unique_key for order in orders]
    wanted = {key for key in keys if key is not None}
    made = claim_keys(connection, wanted)
    new = [order for order, key in zip(orders, keys, strict=True) if key not in made]
    placed = iter(place(new) if new else ())
    outcomes: list[Outcome] = []
    unused = []
    for order, key in zip(orders, keys, strict=True):
        if key is not None and key in made:
            rejected = key_exists(key.key, made[key])
            outcomes.append(replace(rejected, ignored=order.parsed.ignored))
            continue
        outcome = next(placed)
        outcomes.append(outcome)
        if key is not None and isinstance(outcome, Rejected):
            unused.append(key)
    release_keys(connection, unused)
    return outcomes
