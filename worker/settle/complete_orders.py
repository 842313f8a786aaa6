"""Completions, placed: lock the orders, lock their stock, decide, number, write. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from shared.domain.allocation import AvailableStock
from shared.domain.catalog import CatalogIndex
from shared.domain.completion import (
    AskedCompletion,
    Completion,
    Misread,
    OrderChange,
    StoredOrder,
    decide_completions,
    demands_of,
    no_such_order,
)
from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Created, Outcome, Rejected
from shared.domain.values import value
from shared.persistence.core.reservations import reserve
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.complete import stored_orders, write_completions
from shared.persistence.orders.insert import draw_numbers
from shared.persistence.orders.lock import lock_orders
from shared.persistence.stock.lock import lock_stock
from worker.context import WorkerContext
from worker.settle.kind import Settling, read_one
from worker.settle.work import members_of


@value(frozen=True, slots=True)
class KeyedCompletion:
    """One completion: its slice, its key, and what it says of which order."""

    taken: TakenSlice
    key: str
    asked: AskedCompletion
    line_count: int = 1
    number: int | None = None
    """It asks for no number: its order has one."""


def read_completions(context: WorkerContext, taken: TakenSlice) -> list[KeyedCompletion]:
    """Read a slice of completions: each names its order, or has it for its key."""
    clock, named = context.order_clock, taken.form.is_keyed
    read = context.completion_reader(strict=taken.strict, named=named).read
    return [
        KeyedCompletion(
            taken, key, _asked(taken, None if named else key, read_one(clock, read, raw, taken, Misread))
        )
        for key, raw in members_of(taken).items()
    ]


def _asked(taken: TakenSlice, key: str | None, read: Completion | Misread) -> AskedCompletion:
    if key is None:
        return AskedCompletion(read.order, no_such_order(read.order, "/order"), read, taken.market_ids)
    number = int(key) if len(key) <= len(str(MOST_NUMBER)) else MOST_NUMBER + 1
    return AskedCompletion(number, no_such_order(key), read, taken.market_ids)


def lock_for_completions(
    context: WorkerContext, connection: Connection, claim: Claim, completions: Sequence[KeyedCompletion]
) -> None:
    """Lock the orders that are named, and the stock of those that are prepared."""
    orders = _locked_orders(connection, completions)
    _locked_stock(connection, orders.values(), context.catalog(connection, claim.catalog_version))


def complete_orders(
    context: WorkerContext, connection: Connection, claim: Claim, completions: Sequence[KeyedCompletion]
) -> list[Outcome]:
    """The outcomes, after the orders have been completed, or added to."""
    catalog = context.catalog(connection, claim.catalog_version)
    orders = _locked_orders(connection, completions)
    available = _locked_stock(connection, orders.values(), catalog)
    with context.order_clock:
        decided = decide_completions([one.asked for one in completions], orders, catalog, available)
    changes = list({id(one): one for one in decided if isinstance(one, OrderChange)}.values())
    numbers = draw_numbers(connection, sum(one.further_numbers for one in changes), ())
    for change in changes:
        change.number_parts(numbers)
    write_completions(connection, changes, confirm=context.settings.confirm_orders)
    reserve(connection, available.reserved())
    return [_outcome(one.asked.read, decision) for one, decision in zip(completions, decided, strict=True)]


def _locked_orders(connection: Connection, completions: Iterable[KeyedCompletion]) -> dict[int, StoredOrder]:
    asked = {one.asked.number for one in completions}
    numbers = {number for number in asked if number is not None and number <= MOST_NUMBER}
    return stored_orders(connection, lock_orders(connection, numbers))


def _locked_stock(
    connection: Connection, orders: Iterable[StoredOrder], catalog: CatalogIndex
) -> AvailableStock:
    items = {demand.item_id for order in orders for demand in demands_of(order, catalog)}
    return lock_stock(connection, items, catalog.thresholds)


def _outcome(read: Completion | Misread, decision: OrderChange | Rejected) -> Outcome:
    if isinstance(decision, Rejected):
        return replace(decision, ignored=read.ignored) if read.ignored else decision
    return Created(decision.numbers, read.ignored)


COMPLETIONS: Final = Settling(read=read_completions, lock=lock_for_completions, place=complete_orders)
