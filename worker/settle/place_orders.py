"""Placing orders: look up, lock stock, decide, number, write. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from sqlalchemy import Connection

from shared.domain.draft import Doomed, Draft
from shared.domain.locate import Snapshot
from shared.domain.outcome import Fault, Outcome, Rejected
from shared.domain.parsed import Parsed
from shared.domain.rejections import too_slow
from shared.domain.resolve import prepare
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.rows import Making
from shared.persistence.orders.voucher_uses import lock_uses
from shared.persistence.stock.lock import lock_stock
from worker.context import WorkerContext
from worker.settle.counted import counted_for
from worker.settle.decide_and_write import Drafted, decide_and_write
from worker.settle.kind import Settling, log_too_slow, read_one
from worker.settle.look_up import (
    KeyedOrder,
    items_that_may_be_wanted,
    lines_of,
    look_up,
    numbers_asked_for,
    origins_of,
    runs_of,
    vouchers_that_may_apply,
)
from worker.settle.time_limits import OrderClock, OrderTooSlowError
from worker.settle.unique_keys import place_under_new_keys
from worker.settle.work import members_of


def read_orders(context: WorkerContext, taken: TakenSlice) -> list[KeyedOrder]:
    """Read a slice of orders, each at its place in the batch."""
    clock, read = context.order_clock, context.reader(strict=taken.strict).read
    return [
        KeyedOrder(taken, taken.first_position + i, key, read_one(clock, read, raw, taken, _faulty))
        for i, (key, raw) in enumerate(members_of(taken).items())
    ]


def _faulty(faults: tuple[Fault, ...]) -> Parsed:
    return Parsed(None, faults)


def place_orders(
    context: WorkerContext, connection: Connection, claim: Claim, orders: Sequence[KeyedOrder]
) -> list[Outcome]:
    """The orders' outcomes, after everything that they bring about has been written."""
    catalog = context.catalog(connection, claim.catalog_version)
    assortment = context.known_items.assortment(connection, claim.catalog_version, lines_of(orders))
    snapshot = look_up(connection, claim, catalog, assortment, orders)
    clock = context.order_clock
    drafts = list(_prepared(clock, orders, snapshot))
    making = Making(claim.moment, context.settings.confirm_orders)
    counted = counted_for(connection, claim, catalog.thresholds)
    outcomes = decide_and_write(Drafted(connection, making, counted, clock, orders, drafts))
    return [
        replace(outcome, ignored=order.parsed.ignored) if order.parsed.ignored else outcome
        for order, outcome in zip(orders, outcomes, strict=True)
    ]


def _prepared(
    clock: OrderClock, orders: Sequence[KeyedOrder], snapshot: Snapshot
) -> Iterator[Draft | Doomed | Rejected]:
    # Every API key has its own markets.
    seen_by = cache(snapshot.seen_by)
    for order in orders:
        yield _prepare(clock, order, seen_by(order.taken.market_ids))


def _prepare(clock: OrderClock, order: KeyedOrder, snapshot: Snapshot) -> Draft | Doomed | Rejected:
    try:
        with clock:
            return prepare(order.parsed, snapshot, repeated=order.position in order.taken.repeated_numbers)
    except OrderTooSlowError:
        log_too_slow(clock, order.taken)
        return too_slow(clock.limit_seconds)


def lock_for_orders(
    context: WorkerContext, connection: Connection, claim: Claim, orders: Sequence[KeyedOrder]
) -> None:
    """Lock at least the rows that the orders will ask for, at once, and so in the house's one order."""
    catalog = context.catalog(connection, claim.catalog_version)
    assortment = context.known_items.assortment(connection, claim.catalog_version, lines_of(orders))
    lock_stock(connection, items_that_may_be_wanted(orders, assortment), catalog.thresholds)
    lock_uses(connection, vouchers_that_may_apply(orders, catalog))


def _named(orders: Sequence[KeyedOrder]) -> set[int]:
    return numbers_asked_for(orders) | origins_of(orders)


ORDERS: Final = Settling(
    read=read_orders,
    lock=lock_for_orders,
    place=place_orders,
    runs=runs_of,
    numbers=_named,
    under_new_keys=place_under_new_keys,
)
