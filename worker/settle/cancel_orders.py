"""Cancellations, placed: lock, decide, give back, and serve who waited. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from shared.domain.cancellation import (
    AskedCancellation,
    Cancellation,
    CancellationRequest,
    decide_cancellations,
)
from shared.domain.completion import Misread
from shared.domain.outcome import Cancelled, Outcome, Rejected
from shared.domain.values import value
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.cancel import (
    lock_orders_to_cancel,
    lock_what_they_have,
    write_cancellations,
)
from shared.schemas.order.step import cancellation_reader
from worker.context import WorkerContext
from worker.settle.kind import Settling, read_one
from worker.settle.order_step import numbers_of, order_of, rejected
from worker.settle.work import members_of


@value(frozen=True, slots=True)
class KeyedCancellation:
    """One cancellation: its slice, its key, and what it says of which order."""

    taken: TakenSlice
    key: str
    asked: AskedCancellation
    line_count: int = 1
    number: int | None = None
    """It asks for no order number."""


def read_cancellations(context: WorkerContext, taken: TakenSlice) -> list[KeyedCancellation]:
    """Read a slice of cancellations."""
    zone = ZoneInfo(context.settings.organisation_timezone)
    reader = cancellation_reader(zone=zone, named=taken.form.is_keyed, strict=taken.strict)
    keyed = []
    for key, raw in members_of(taken).items():
        read = read_one(context.order_clock, reader.read, raw, taken, Misread)
        asked = AskedCancellation(*order_of(taken, key, read), read, taken.market_ids)
        keyed.append(KeyedCancellation(taken, key, asked))
    return keyed


def lock_for_cancellations(
    _context: WorkerContext, connection: Connection, _claim: Claim, cancellations: Sequence[KeyedCancellation]
) -> None:
    """Lock the orders that are named, those that wait for what they have, stock and vouchers."""
    numbers = numbers_of(one.asked for one in cancellations)
    lock_what_they_have(connection, lock_orders_to_cancel(connection, numbers))


def cancel_orders(
    context: WorkerContext, connection: Connection, claim: Claim, cancellations: Sequence[KeyedCancellation]
) -> list[Outcome]:
    """The outcomes, after what was cancelled has given back what it had."""
    locked = lock_orders_to_cancel(connection, numbers_of(one.asked for one in cancellations))
    with context.order_clock:
        decided = decide_cancellations([one.asked for one in cancellations], locked.by_number)
    cancelled = [one for one in decided if isinstance(one, Cancellation)]
    write_cancellations(connection, claim.moment, cancelled, locked)
    return [_outcome(one.asked.read, decision) for one, decision in zip(cancellations, decided, strict=True)]


def _outcome(read: CancellationRequest | Misread, decision: Cancellation | int | Rejected) -> Outcome:
    if isinstance(decision, Rejected):
        return rejected(read, decision)
    number = decision.order.number if isinstance(decision, Cancellation) else decision
    return Cancelled(number, read.ignored)


CANCELLATIONS: Final = Settling(read=read_cancellations, lock=lock_for_cancellations, place=cancel_orders)
