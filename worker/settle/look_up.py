"""Look-up for a transaction: what its orders are looked up in, and which rows they will want locked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from shared.domain.catalog import Assortment, CatalogIndex
from shared.domain.draft import Doomed, Draft
from shared.domain.locate import Snapshot
from shared.domain.order import NOTHING_NAMED, LineRequest, OrderRequest
from shared.domain.outcome import Rejected
from shared.domain.parsed import Parsed
from shared.domain.products import items_named
from shared.domain.resolve import wanted_customer_ids, wanted_emails
from shared.domain.values import value
from shared.persistence.catalog.read import find_accounts
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.customers import find_customers
from shared.persistence.orders.insert import taken_numbers
from shared.persistence.orders.markets import account_markets, customer_markets
from shared.persistence.orders.unique_keys import UniqueKey


@value(frozen=True, slots=True)
class KeyedOrder:
    """One order: its slice, its place in the batch, its key, and what its JSON says."""

    taken: TakenSlice
    position: int
    key: str
    parsed: Parsed

    @property
    def number(self) -> int | None:
        """The order number that it asks for."""
        return None if self.parsed.request is None else self.parsed.request.order_number

    @property
    def unique_key(self) -> UniqueKey | None:
        """Its key, where no other order may be made under that."""
        return UniqueKey(self.taken.client_id, self.key) if self.taken.options.unique_keys else None

    @property
    def line_count(self) -> int:
        """How many lines it has; none where it could not be read."""
        return 0 if self.parsed.request is None else len(self.parsed.request.lines)


def runs_of(orders: Sequence[KeyedOrder]) -> list[Sequence[KeyedOrder]]:
    """The orders in runs that can be looked up at once.

    Where an order of an ordered job names one before it as its origin, that has to be there to be found.
    """
    runs: list[Sequence[KeyedOrder]] = []
    first, numbers = 0, set[int]()
    for at, order in enumerate(orders):
        origin = order.parsed.names.origin if order.taken.options.ordered else None
        if origin is not None and origin.type == "order" and origin.id in numbers:
            runs.append(orders[first:at])
            first, numbers = at, set()
        if order.number is not None:
            numbers.add(order.number)
    return [*runs, orders[first:]]


def _requests(orders: Iterable[KeyedOrder]) -> list[OrderRequest]:
    return [order.parsed.request for order in orders if order.parsed.request is not None]


def numbers_asked_for(orders: Iterable[KeyedOrder]) -> set[int]:
    """The order numbers that these orders want for themselves."""
    return {order.number for order in orders if order.number is not None}


def origins_of(orders: Iterable[KeyedOrder]) -> set[int]:
    """The numbers of the orders that these were made from."""
    origins = (order.parsed.names.origin for order in orders)
    return {one.id for one in origins if one is not None and one.type == "order"}


def lines_of(orders: Iterable[KeyedOrder]) -> Iterator[LineRequest]:
    """All lines of the orders that could be read."""
    return (line for request in _requests(orders) for line in request.lines)


def look_up(
    connection: Connection,
    claim: Claim,
    catalog: CatalogIndex,
    assortment: Assortment,
    orders: Sequence[KeyedOrder],
) -> Snapshot:
    """All that these orders name, as far as it is there, whatever markets their keys are limited to."""
    requests = _requests(orders)
    # Most orders name nothing but their items.
    naming = [order for order in orders if order.parsed.names is not NOTHING_NAMED]
    names = [order.parsed.names for order in naming]
    accounts = find_accounts(connection, {n.account_id for n in names if n.account_id is not None})
    numbers, origins = numbers_asked_for(orders), origins_of(naming)
    existing = {**claim.earlier_numbers, **taken_numbers(connection, numbers | origins)}
    return Snapshot(
        catalog=catalog,
        assortment=assortment,
        moment=claim.moment,
        customers=find_customers(
            connection, wanted_customer_ids(_requests(naming)), wanted_emails(requests, accounts)
        ),
        accounts=accounts,
        taken_numbers=frozenset(existing.keys() & numbers),
        origins={number: existing[number] for number in existing.keys() & origins},
        customer_markets=_customer_markets(connection, naming),
        account_markets=_account_markets(connection, naming),
    )


def _customer_markets(connection: Connection, orders: Iterable[KeyedOrder]) -> dict[int, frozenset[int]]:
    limited = [(one.parsed.names.customer_id, one.taken.market_ids) for one in orders]
    return customer_markets(connection, *_named_by_limited(limited))


def _account_markets(connection: Connection, orders: Iterable[KeyedOrder]) -> dict[int, frozenset[int]]:
    limited = [(one.parsed.names.account_id, one.taken.market_ids) for one in orders]
    return account_markets(connection, *_named_by_limited(limited))


def _named_by_limited(
    named: Iterable[tuple[int | None, frozenset[int] | None]],
) -> tuple[set[int], set[int]]:
    """The ids that orders of limited keys name, and all the markets of those keys."""
    ids: set[int] = set()
    markets: set[int] = set()
    for one, market_ids in named:
        if one is not None and market_ids is not None:
            ids.add(one)
            markets |= market_ids
    return ids, markets


def items_to_lock(drafts: Iterable[Draft | Doomed | Rejected]) -> set[int]:
    """The ids of the items that are wanted."""
    return {demand.item_id for draft in drafts if isinstance(draft, Draft) for demand in draft.demands}


def items_that_may_be_wanted(orders: Iterable[KeyedOrder], assortment: Assortment) -> set[int]:
    """The same, of orders that nothing has been decided of: at least those."""
    found = (item for line in lines_of(orders) for item in items_named(line, assortment))
    return {item.id for item in found}


def vouchers_to_lock(drafts: Iterable[Draft | Doomed | Rejected]) -> set[int]:
    """The ids of the vouchers whose uses are counted."""
    return {
        applied.voucher.id
        for draft in drafts
        if not isinstance(draft, Rejected)
        for applied in draft.vouchers
        if applied.voucher.limited
    }


def vouchers_that_may_apply(orders: Iterable[KeyedOrder], catalog: CatalogIndex) -> set[int]:
    """The same, of orders that nothing has been decided of: at least those."""
    codes = {code for order in orders for code in order.parsed.names.voucher_codes}
    named = (catalog.voucher_codes[code] for code in codes if code in catalog.voucher_codes)
    return {voucher.id for voucher in (*named, *catalog.automatic_vouchers) if voucher.limited}
