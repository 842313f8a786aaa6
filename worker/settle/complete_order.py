"""Completing a prepared order, in the transaction of the slice that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from shared.domain.completion import (
    Completion,
    Misread,
    already_shipping,
    no_such_order,
    place_prepared,
    uncounted,
)
from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Created, Fault, Outcome, quoted, reject
from shared.domain.reasons import ALLOCATION_RULE_UNKNOWN
from shared.domain.values import value
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.complete import (
    StoredOrder,
    add_payment,
    amend,
    ask_for_confirmation,
    complete,
    lock_order,
    numbers_of_group,
    read_draft,
)
from shared.persistence.orders.insert import draw_numbers
from shared.persistence.stock.lock import lock_stock, reserve
from worker.context import WorkerContext
from worker.settle.kind import Settling, read_one
from worker.settle.work import members_of


@value(frozen=True, slots=True)
class KeyedCompletion:
    """One completion: its slice, its key, and what it says; the order is the one whose number is its key."""

    taken: TakenSlice
    key: str
    read: Completion | Misread
    line_count: int = 1
    number: int | None = None
    """It asks for no number of its own."""


def read_completions(context: WorkerContext, taken: TakenSlice) -> list[KeyedCompletion]:
    """Read a slice of completions by order number."""
    clock, read = context.order_clock, context.completion_reader(strict=taken.strict).read
    return [
        KeyedCompletion(taken, key, read_one(clock, read, raw, taken, Misread))
        for key, raw in members_of(taken).items()
    ]


def lock_for_completions(
    _context: WorkerContext, connection: Connection, _claim: Claim, completions: Sequence[KeyedCompletion]
) -> None:
    """Lock the orders that are named."""
    for one in completions:
        if int(one.key) <= MOST_NUMBER:
            lock_order(connection, int(one.key), one.taken.client_id)


def complete_orders(
    context: WorkerContext, connection: Connection, claim: Claim, completions: Sequence[KeyedCompletion]
) -> list[Outcome]:
    """The outcomes, after the orders have been completed."""
    return [complete_order(context, connection, one.taken, claim, one.key, one.read) for one in completions]


def complete_order(
    context: WorkerContext,
    connection: Connection,
    taken: TakenSlice,
    claim: Claim,
    number: str,
    read: Completion | Misread,
) -> Outcome:
    """Complete the order of this number, or add to one that is completed."""
    known = int(number) <= MOST_NUMBER
    stored = lock_order(connection, int(number), taken.client_id) if known else None
    if stored is not None and not stored.is_within(taken.market_ids):
        stored = None
    faults = list(read.faults) if isinstance(read, Misread) else []
    if stored is None:
        return reject([no_such_order(number), *faults])
    faults += uncounted(read, stored.row["currency"])
    if faults or isinstance(read, Misread):
        return reject(faults)
    rule_id, unknown = _rule(context, connection, claim, stored, read)
    if unknown:
        return reject(unknown)
    if stored.prepared:
        numbers = _reserve_stock(context, connection, claim, stored, rule_id)
        ask_for_confirmation(connection, stored, default=context.settings.confirm_orders)
    else:
        # Sending the same completion again is fine; shipping from elsewhere is not.
        if read.warehouse_group is not None and rule_id != stored.row["allocation_rule_id"]:
            return reject([already_shipping(read.warehouse_group)])
        numbers = numbers_of_group(connection, stored)
    amend(connection, numbers, read.details)
    if read.payment is not None:
        add_payment(connection, stored, read.payment)
    return Created(numbers, read.ignored)


def _rule(
    context: WorkerContext, connection: Connection, claim: Claim, stored: StoredOrder, read: Completion
) -> tuple[int, list[Fault]]:
    if read.warehouse_group is None:
        return int(stored.row["allocation_rule_id"]), []
    rules = context.catalog(connection, claim.catalog_version).rule_names
    rule = rules.get(read.warehouse_group)
    if rule is None:
        msg = f"no allocation rule is named {quoted(read.warehouse_group)}"
        return 0, [Fault(ALLOCATION_RULE_UNKNOWN, "/warehouseGroup", msg)]
    return rule.id, []


def _reserve_stock(
    context: WorkerContext, connection: Connection, claim: Claim, stored: StoredOrder, rule_id: int
) -> tuple[int, ...]:
    catalog = context.catalog(connection, claim.catalog_version)
    draft = read_draft(connection, stored, catalog, rule_id)
    available = lock_stock(connection, {demand.item_id for demand in draft.demands}, catalog.thresholds)
    placement = place_prepared(draft, available)
    numbered = placement.numbered(draw_numbers(connection, placement.automatic_numbers, ()))
    complete(connection, stored, numbered)
    reserve(connection, available.reserved())
    return numbered.numbers


COMPLETIONS: Final = Settling(read=read_completions, lock=lock_for_completions, place=complete_orders)
