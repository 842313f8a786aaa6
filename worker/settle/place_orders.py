"""Placing orders: look up, lock stock, decide, number, write. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.draft import Doomed, Draft
from shared.domain.locate import Snapshot
from shared.domain.outcome import Outcome, Rejected
from shared.domain.parsed import Parsed
from shared.domain.rejections import could_not_be_stored, too_slow
from shared.domain.resolve import prepare
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.rows import Making
from shared.persistence.orders.voucher_uses import lock_uses
from shared.persistence.stock.lock import lock_stock
from shared.schemas.order.reading import OrderReader
from worker.context import WorkerContext
from worker.settle.decide_and_write import Drafted, decide_and_write
from worker.settle.look_up import (
    KeyedOrder,
    items_that_may_be_wanted,
    lines_of,
    look_up,
    runs_of,
    vouchers_that_may_apply,
)
from worker.settle.time_limits import OrderClock, OrderTooSlowError
from worker.settle.work import Keyed, Placed, Placing, behind_savepoint, members_of

log = structlog.get_logger()


def read_orders(context: WorkerContext, taken: TakenSlice) -> list[KeyedOrder]:
    """Read a slice of orders, each at its place in the batch."""
    reader = context.reader(strict=taken.strict)
    return [
        KeyedOrder(taken, taken.first_position + i, key, _read(context.order_clock, reader, raw, taken))
        for i, (key, raw) in enumerate(members_of(taken).items())
    ]


def _read(clock: OrderClock, reader: OrderReader, raw: msgspec.Raw, taken: TakenSlice) -> Parsed:
    try:
        with clock:
            return reader.read(raw)
    except MemoryError:
        raise
    except OrderTooSlowError:
        _log_too_slow(clock, taken)
        return Parsed(None, too_slow(clock.limit_seconds).faults)
    except Exception:
        # A fault of ours; the slice's other orders have nothing to do with it.
        log.exception("order_not_read", request_id=taken.request_id, job_id=str(taken.job_id))
        return Parsed(None, could_not_be_stored(taken.request_id).faults)


def _log_too_slow(clock: OrderClock, taken: TakenSlice) -> None:
    told = {"request_id": taken.request_id, "job_id": str(taken.job_id)}
    log.error("order_too_slow", limit_seconds=clock.limit_seconds, **told)


def placing(context: WorkerContext, orders: Sequence[KeyedOrder], *, apart: bool) -> Placing:
    """What places the orders of slices in their transaction; ``apart``: each behind a savepoint."""

    def all_at_once(connection: Connection, claim: Claim) -> Placed:
        held = [order for order in orders if order.taken.id in claim.slice_ids]
        runs = runs_of(held)
        if len(runs) == 1:
            return _by_slice(held, place_orders(context, connection, claim, held))
        return _by_slice(held, place_in_runs(context, connection, claim, runs))

    def one_by_one(connection: Connection, claim: Claim) -> Placed:
        return _by_slice(orders, place_one_by_one(context, connection, claim, orders))

    return one_by_one if apart else all_at_once


def _by_slice(orders: Sequence[KeyedOrder], outcomes: Sequence[Outcome]) -> Placed:
    slices = {order.taken.id: order.taken for order in orders}
    keyed: dict[int, list[Keyed]] = {slice_id: [] for slice_id in slices}
    for order, outcome in zip(orders, outcomes, strict=True):
        keyed[order.taken.id].append((order.key, outcome))
    return [(slices[slice_id], of) for slice_id, of in keyed.items()]


def place_in_runs(
    context: WorkerContext, connection: Connection, claim: Claim, runs: Sequence[Sequence[KeyedOrder]]
) -> list[Outcome]:
    """The orders' outcomes, each run of orders placed when those before it have been written."""
    _lock_all(context, connection, claim, [order for run in runs for order in run])
    return [outcome for run in runs for outcome in place_orders(context, connection, claim, run)]


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
    outcomes = decide_and_write(Drafted(connection, making, catalog, clock, orders, drafts))
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
        _log_too_slow(clock, order.taken)
        return too_slow(clock.limit_seconds)


def place_one_by_one(
    context: WorkerContext, connection: Connection, claim: Claim, orders: Sequence[KeyedOrder]
) -> list[Outcome]:
    """The same, each order behind a savepoint: one that cannot be written costs only itself."""
    # Nothing is decided before the savepoints, for that is where the fault may be.
    _lock_all(context, connection, claim, orders)
    return [
        behind_savepoint(
            connection,
            order.taken.request_id,
            context.order_clock.limit_seconds,
            partial(_place_one, context, connection, claim, order),
        )
        for order in orders
    ]


def _lock_all(
    context: WorkerContext, connection: Connection, claim: Claim, orders: Sequence[KeyedOrder]
) -> None:
    """Lock at least the rows that the orders will ask for, at once, and so in the house's one order."""
    catalog = context.catalog(connection, claim.catalog_version)
    assortment = context.known_items.assortment(connection, claim.catalog_version, lines_of(orders))
    lock_stock(connection, items_that_may_be_wanted(orders, assortment), catalog.thresholds)
    lock_uses(connection, vouchers_that_may_apply(orders, catalog))


def _place_one(context: WorkerContext, connection: Connection, claim: Claim, order: KeyedOrder) -> Outcome:
    return place_orders(context, connection, claim, [order])[0]
