"""Shipments, placed: lock, decide, number, write, take out of the stock. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from shared.domain.completion import Misread
from shared.domain.outcome import Outcome, Rejected, Shipped
from shared.domain.shipment import AskedShipment, Shipment, ShipmentRequest, decide_shipments
from shared.domain.values import value
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.ship import (
    NewShipment,
    lock_orders_to_ship,
    lock_reserved_stock,
    write_shipments,
)
from shared.schemas.order.step import shipment_reader
from worker.context import WorkerContext
from worker.settle.kind import Settling, read_one
from worker.settle.order_step import numbers_of, order_of, rejected
from worker.settle.work import members_of


@value(frozen=True, slots=True)
class KeyedShipment:
    """One shipment: its slice, its place in the batch, its key, and what it says of which order."""

    taken: TakenSlice
    position: int
    key: str
    asked: AskedShipment
    line_count: int = 1
    number: int | None = None
    """It asks for no order number."""


def read_shipments(context: WorkerContext, taken: TakenSlice) -> list[KeyedShipment]:
    """Read a slice of shipments."""
    settings = context.settings
    reader = shipment_reader(
        zone=ZoneInfo(settings.organisation_timezone),
        max_lines=settings.max_lines,
        named=taken.form.is_keyed,
        strict=taken.strict,
    )
    keyed = []
    for at, (key, raw) in enumerate(members_of(taken).items()):
        read = read_one(context.order_clock, reader.read, raw, taken, Misread)
        asked = AskedShipment(*order_of(taken, key, read), read, taken.market_ids)
        keyed.append(KeyedShipment(taken, taken.first_position + at, key, asked))
    return keyed


def lock_for_shipments(
    _context: WorkerContext, connection: Connection, _claim: Claim, shipments: Sequence[KeyedShipment]
) -> None:
    """Lock the orders that are named, and the stock that they have reserved."""
    numbers = numbers_of(one.asked for one in shipments)
    lock_reserved_stock(connection, lock_orders_to_ship(connection, numbers, ()).values())


def ship_orders(
    context: WorkerContext, connection: Connection, claim: Claim, shipments: Sequence[KeyedShipment]
) -> list[Outcome]:
    """The outcomes, after what has shipped is written."""
    numbers = numbers_of(one.asked for one in shipments)
    orders = lock_orders_to_ship(connection, numbers, _own_names(shipments))
    with context.order_clock:
        decided = decide_shipments([one.asked for one in shipments], orders)
    # Of two of one reference there is one shipment, that of the first.
    new: dict[int, NewShipment] = {}
    for one, decision in zip(shipments, decided, strict=True):
        if isinstance(decision, Shipment):
            new.setdefault(id(decision), NewShipment(one.taken.job_id, one.position, decision))
    shipped = {one.shipment.order_number for one in new.values()}
    write_shipments(connection, claim.moment, list(new.values()), [orders[number] for number in shipped])
    return [_outcome(one.asked.read, decision) for one, decision in zip(shipments, decided, strict=True)]


def _own_names(shipments: Sequence[KeyedShipment]) -> set[str]:
    reads = [one.asked.read for one in shipments]
    named = {read.reference for read in reads if isinstance(read, ShipmentRequest)}
    return {reference for reference in named if reference is not None}


def _outcome(read: ShipmentRequest | Misread, decision: Shipment | int | Rejected) -> Outcome:
    if isinstance(decision, Rejected):
        return rejected(read, decision)
    return Shipped(decision.number if isinstance(decision, Shipment) else decision, read.ignored)


SHIPMENTS: Final = Settling(read=read_shipments, lock=lock_for_shipments, place=ship_orders)
