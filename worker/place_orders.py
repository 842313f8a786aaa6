"""The heart of a slice's transaction: look up, lock stock, decide, number, write. Fixed statements in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.catalog import Assortment, Item, Reference
from shared.domain.decide import Numbered, Placement, decide
from shared.domain.draft import Draft
from shared.domain.locate import Snapshot
from shared.domain.order import OrderRequest
from shared.domain.outcome import Outcome, Rejected, could_not_be_stored
from shared.domain.parsed import Parsed
from shared.domain.resolve import prepare, wanted_customer_ids, wanted_emails
from shared.persistence.catalog_read import find_accounts, find_items
from shared.persistence.customers import (
    add_customers,
    ask_for_new_passwords,
    find_customers,
    register_customers,
)
from shared.persistence.order_rows import NewOrder, Source
from shared.persistence.orders import draw_numbers, taken_numbers, write_orders
from shared.persistence.slices import Claim, TakenSlice
from shared.persistence.stock import lock_shelf, reserve
from shared.persistence.vouchers import lock_uses, use
from shared.schemas.reading import OrderReader
from worker.work import Work, behind_savepoint
from worker.workshop import Workshop

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyedOrder:
    """One order of a slice: its place in the batch, its key, and what its JSON says."""

    position: int
    key: str
    parsed: Parsed


def read_orders(workshop: Workshop, taken: TakenSlice, members: Mapping[str, msgspec.Raw]) -> Work:
    """Read a slice of orders; what comes back places them."""
    reader = workshop.reader(strict=taken.strict)
    orders = [
        KeyedOrder(taken.first_position + i, key, _read(reader, raw, taken.request_id))
        for i, (key, raw) in enumerate(members.items())
    ]
    keys = [order.key for order in orders]

    def all_at_once(connection: Connection, claim: Claim) -> list[tuple[str, Outcome]]:
        return list(zip(keys, place_orders(workshop, connection, taken, claim, orders), strict=True))

    def one_by_one(connection: Connection, claim: Claim) -> list[tuple[str, Outcome]]:
        return list(zip(keys, place_one_by_one(workshop, connection, taken, claim, orders), strict=True))

    return Work(all_at_once, one_by_one)


def _read(reader: OrderReader, raw: msgspec.Raw, request_id: str) -> Parsed:
    try:
        return reader.read(raw)
    except MemoryError:
        raise
    except Exception:
        # A fault of ours; the slice's other orders have nothing to do with it.
        log.exception("order_not_read")
        return Parsed(None, could_not_be_stored(request_id).faults)


def place_orders(
    workshop: Workshop, connection: Connection, taken: TakenSlice, claim: Claim, orders: Sequence[KeyedOrder]
) -> list[Outcome]:
    """The orders' outcomes, after everything that they bring about has been written."""
    snapshot = _look_up(workshop, connection, taken, claim, orders)
    drafts = [
        prepare(order.parsed, snapshot, repeated=order.position in taken.repeated_numbers) for order in orders
    ]
    shelf = lock_shelf(connection, _items_to_lock(drafts), snapshot.reference.thresholds)
    uses = lock_uses(connection, _vouchers_to_lock(drafts))
    decided = decide(drafts, shelf, uses)
    placed = [
        (order, decision)
        for order, decision in zip(orders, decided, strict=True)
        if isinstance(decision, Placement)
    ]
    numbered = _number(connection, [placement for _, placement in placed])
    customers = _customers(connection, numbered)
    new_orders = [
        NewOrder(order.position, order.key, customer_id, one)
        for (order, _), customer_id, one in zip(placed, customers, numbered, strict=True)
    ]
    source = Source(taken.job_id, taken.api_key_id, claim.moment, workshop.settings.confirm_orders)
    write_orders(connection, source, new_orders)
    reserve(connection, shelf.taken())
    use(connection, uses.taken())
    told = iter(numbered)
    return [one if isinstance(one, Rejected) else next(told).outcome() for one in decided]


def place_one_by_one(
    workshop: Workshop, connection: Connection, taken: TakenSlice, claim: Claim, orders: Sequence[KeyedOrder]
) -> list[Outcome]:
    """The same, each order behind a savepoint: one that cannot be written costs only itself."""
    # All rows at once, and so in the house's one order: at least those that the orders will ask for. Nothing
    # is decided before the savepoints, for that is where the fault may be.
    reference = workshop.reference(connection, claim.catalog_version)
    lock_shelf(connection, {item.id for item in _find_items(connection, orders)}, reference.thresholds)
    lock_uses(connection, _vouchers_that_may_apply(orders, reference))
    return [
        behind_savepoint(
            connection,
            taken.request_id,
            partial(_place_one, workshop, connection, taken, claim, order),
        )
        for order in orders
    ]


def _place_one(
    workshop: Workshop, connection: Connection, taken: TakenSlice, claim: Claim, order: KeyedOrder
) -> Outcome:
    return place_orders(workshop, connection, taken, claim, [order])[0]


def _requests(orders: Iterable[KeyedOrder]) -> list[OrderRequest]:
    return [order.parsed.request for order in orders if order.parsed.request is not None]


def _find_items(connection: Connection, orders: Iterable[KeyedOrder]) -> list[Item]:
    lines = [line for request in _requests(orders) for line in request.lines]
    return find_items(
        connection,
        {line.item_id for line in lines if line.item_id is not None},
        {line.sku for line in lines if line.sku is not None},
        {line.ean for line in lines if line.ean is not None},
    )


def _look_up(
    workshop: Workshop, connection: Connection, taken: TakenSlice, claim: Claim, orders: Sequence[KeyedOrder]
) -> Snapshot:
    requests = _requests(orders)
    names = [order.parsed.references for order in orders]
    accounts = find_accounts(connection, {n.account_id for n in names if n.account_id is not None})
    numbers = {request.order_number for request in requests if request.order_number is not None}
    origins = {n.origin.id for n in names if n.origin is not None and n.origin.type == "order"}
    existing = taken_numbers(connection, numbers | origins)
    return Snapshot(
        reference=workshop.reference(connection, claim.catalog_version),
        assortment=Assortment.of(_find_items(connection, orders)),
        moment=claim.moment,
        customers=find_customers(
            connection, wanted_customer_ids(requests), wanted_emails(requests, accounts)
        ),
        accounts=accounts,
        taken_numbers=existing & numbers,
        origin_numbers=existing & origins,
        market_ids=taken.market_ids,
    )


def _items_to_lock(drafts: Iterable[Draft | Rejected]) -> set[int]:
    return {want.item_id for draft in drafts if isinstance(draft, Draft) for want in draft.wants()}


def _vouchers_to_lock(drafts: Iterable[Draft | Rejected]) -> set[int]:
    return {
        applied.voucher.id
        for draft in drafts
        if isinstance(draft, Draft)
        for applied in draft.vouchers
        if applied.voucher.limited
    }


def _vouchers_that_may_apply(orders: Iterable[KeyedOrder], reference: Reference) -> set[int]:
    codes = {code for order in orders for code in order.parsed.references.voucher_codes}
    named = (reference.voucher_codes[code] for code in codes if code in reference.voucher_codes)
    return {voucher.id for voucher in (*named, *reference.automatic_vouchers) if voucher.limited}


def _number(connection: Connection, placements: Sequence[Placement]) -> list[Numbered]:
    explicit = [p.draft.request.order_number for p in placements]
    count = sum(placement.automatic_numbers for placement in placements)
    automatic = draw_numbers(connection, count, [number for number in explicit if number is not None])
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
            ids.append(registered[buyer.email.lower()] if buyer.register else next(made))
    wanting = {i for i, draft in zip(ids, drafts, strict=True) if draft.request.customer_set_new_password}
    ask_for_new_passwords(connection, wanting)
    return ids
