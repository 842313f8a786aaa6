"""Deciding the drafts of a transaction and writing what comes of them, with their stock locked first or last.

From the lock to the commit nobody else sells these items. So where many lines are decided at once, they are
decided from stock as it looks, and all but their allocations is written before it is locked: two workers then
write at the same time. It is done only where looking again under the lock proves the decisions right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from shared.domain.decide import Numbered, Placement, decide, stands_while_covered
from shared.domain.draft import Doomed, Draft
from shared.domain.mailbox import mailbox_of
from shared.domain.outcome import Outcome, Rejected
from shared.domain.vouchers import Uses
from shared.persistence.orders.customers import add_customers, ask_for_new_passwords, register_customers
from shared.persistence.orders.insert import write_allocations, write_orders
from shared.persistence.orders.markets import first_ordered_in
from shared.persistence.orders.rows import Making, NewOrder
from worker.settle.counted import Counted
from worker.settle.look_up import KeyedOrder, items_to_lock, vouchers_to_lock
from worker.settle.time_limits import OrderClock

LOCKED_LAST_FROM: Final = 100
"""Lines from which on the savepoint and the second look pay, of however many orders."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """The orders of a transaction, each with its draft or why it has none, and what they are decided by."""

    connection: Connection
    making: Making
    counted: Counted
    clock: OrderClock
    orders: Sequence[KeyedOrder]
    drafts: Sequence[Draft | Doomed | Rejected]


def decide_and_write(drafted: Drafted) -> list[Outcome]:
    """The orders' outcomes, after everything that they bring about has been written."""
    items = items_to_lock(drafted.drafts)
    lines = sum(len(draft.lines) for draft in drafted.drafts if isinstance(draft, Draft))
    if lines >= LOCKED_LAST_FROM and _may_be_locked_last(drafted.drafts):
        outcomes = _locking_last(drafted, items)
        if outcomes is not None:
            return outcomes
    return _locking_first(drafted, items)


def _may_be_locked_last(drafts: Sequence[Draft | Doomed | Rejected]) -> bool:
    """Whether nothing that is written before the stock is locked could be what another one waits for.

    Whoever has its stock might wait for a number, or a registered customer, of ours, and we for its stock.
    """
    return not any(
        isinstance(draft, Doomed)
        or (
            isinstance(draft, Draft)
            and (
                draft.request.order_number is not None
                or draft.buyer.register
                or draft.request.customer_set_new_password
            )
        )
        for draft in drafts
    )


def _locking_last(drafted: Drafted, items: Collection[int]) -> list[Outcome] | None:
    """None where stock has to be locked first: all is as before then."""
    connection, counted = drafted.connection, drafted.counted
    available = counted.look_at_stock(items)
    with drafted.clock:
        decided = decide(drafted.drafts, available, Uses({}))
    if not stands_while_covered(drafted.drafts, decided):
        return None
    savepoint = connection.begin_nested()
    numbered, new_orders = _write(drafted, decided)
    if not counted.lock_stock(items).covers(available.reserved()):
        # Sold since: what is left is decided on again, and none of these orders was.
        savepoint.rollback()
        return None
    write_allocations(connection, new_orders)
    counted.take(available.reserved(), {})
    savepoint.commit()
    return _outcomes(decided, numbered)


def _locking_first(drafted: Drafted, items: Collection[int]) -> list[Outcome]:
    counted = drafted.counted
    available = counted.lock_stock(items)
    uses = counted.lock_uses(vouchers_to_lock(drafted.drafts))
    with drafted.clock:
        decided = decide(drafted.drafts, available, uses)
    numbered, new_orders = _write(drafted, decided)
    write_allocations(drafted.connection, new_orders)
    counted.take(available.reserved(), uses.redeemed())
    return _outcomes(decided, numbered)


def _write(
    drafted: Drafted, decided: Sequence[Placement | Rejected]
) -> tuple[list[Numbered], list[NewOrder]]:
    """Number the placements, and write all of them but their allocations."""
    connection = drafted.connection
    placed = [
        (order, decision)
        for order, decision in zip(drafted.orders, decided, strict=True)
        if isinstance(decision, Placement)
    ]
    numbered = _number(drafted, [placement for _, placement in placed])
    customers = _customers(connection, numbered)
    _ask_for_new_passwords(connection, [order.taken.market_ids for order, _ in placed], customers, numbered)
    new_orders = [
        NewOrder(order.taken.job_id, order.taken.api_key_id, order.position, order.key, customer_id, one)
        for (order, _), customer_id, one in zip(placed, customers, numbered, strict=True)
    ]
    write_orders(connection, drafted.making, new_orders)
    return numbered, new_orders


def _outcomes(decided: Sequence[Placement | Rejected], numbered: Sequence[Numbered]) -> list[Outcome]:
    told = iter(numbered)
    return [one if isinstance(one, Rejected) else next(told).outcome() for one in decided]


def _number(drafted: Drafted, placements: Sequence[Placement]) -> list[Numbered]:
    explicit = [p.draft.request.order_number for p in placements]
    count = sum(placement.automatic_numbers for placement in placements)
    claimed = [number for number in explicit if number is not None]
    automatic = drafted.counted.draw_numbers(count, claimed)
    return [placement.numbered(automatic) for placement in placements]


def _customers(connection: Connection, numbered: Sequence[Numbered]) -> list[int]:
    """Each placement's customer: known, registered under its e-mail, or made for this order."""
    drafts = [one.placement.draft for one in numbered]
    unknown = [draft.buyer for draft in drafts if draft.buyer.customer_id is None]
    registered = register_customers(connection, [b.email for b in unknown if b.register])
    made = iter(add_customers(connection, [b.email for b in unknown if not b.register]))
    ids: list[int] = []
    for draft in drafts:
        buyer = draft.buyer
        if buyer.customer_id is not None:
            ids.append(buyer.customer_id)
        else:
            ids.append(registered[mailbox_of(buyer.email)] if buyer.register else next(made))
    return ids


def _ask_for_new_passwords(
    connection: Connection,
    limited_to: Sequence[frozenset[int] | None],
    customers: Sequence[int],
    numbered: Sequence[Numbered],
) -> None:
    """Flag the customers whose orders ask for it, and whom the markets of the orders' keys had first.

    An order of a limited key goes to whoever is registered with its e-mail: that makes nobody its customer.
    """
    wanting: dict[frozenset[int] | None, set[int]] = defaultdict(set)
    for market_ids, customer_id, one in zip(limited_to, customers, numbered, strict=True):
        if one.placement.draft.request.customer_set_new_password:
            wanting[market_ids].add(customer_id)
    ids: set[int] = set()
    for market_ids, of_these in wanting.items():
        ids |= of_these if market_ids is None else first_ordered_in(connection, of_these, market_ids)
    ask_for_new_passwords(connection, ids)
