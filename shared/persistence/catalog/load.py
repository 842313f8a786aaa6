"""A catalog file into the database: all of it in one transaction, or nothing.

List by list, each after those that it refers to: names become ids, the rows are compared with what is there,
and as long as nothing is wrong they are written. After the first fault the rest is still compared, so that
all faults are told at once; the transaction then rolls back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, select, text
from sqlalchemy.dialects.postgresql import insert

from shared.domain.catalog_file import CatalogFile, CatalogRefusedError, Count, LoadSummary, Progress
from shared.domain.outcome import quoted
from shared.persistence.catalog import rows
from shared.persistence.catalog.buyers import load_buyers
from shared.persistence.catalog.codes import fill_code_keys
from shared.persistence.catalog.merge import IncomingList, Listing
from shared.persistence.catalog.names import Names, Pricelists
from shared.persistence.catalog.prices_and_stock import load_prices, load_stock
from shared.persistence.core import tables as t
from shared.persistence.core.database import transaction
from shared.persistence.core.errors import TransientError

# Any number will do, so long as nobody else takes this advisory lock in the same database.
_LOAD_LOCK: Final = 0x636174
_TRIES_MAX: Final = 4
_ROWS_BETWEEN_TICKS: Final = 1_000
# Fewer new rows than this change no plan.
_ROWS_TO_ANALYZE: Final = 1_000


def load_catalog(engine: Engine, catalog: CatalogFile, progress: Progress) -> LoadSummary:
    """Upsert a catalog by name, SKU, URI and code; what it does not name stays as it is.

    A row of something that is there changes what it names and nothing else; a new one has the defaults of
    what it leaves out. Stock goes no lower than what is allocated, a voucher's uses no lower than what was
    used. Workers learn of a change by the catalog's version.

    Slices go on meanwhile. A load that loses a deadlock to one all the same is begun again, a few times.

    Raises CatalogRefusedError with all faults if anything is wrong, and PersistenceError.
    """
    fill_code_keys(engine)
    for _ in range(_TRIES_MAX - 1):
        try:
            return _load(engine, catalog, progress)
        except TransientError as error:
            # Only what somebody else has undone: a limit, or a server that is away, would be met again.
            if type(error) is not TransientError:
                raise
    return _load(engine, catalog, progress)


def _load(engine: Engine, catalog: CatalogFile, progress: Progress) -> LoadSummary:
    with transaction(engine) as connection:
        # These limits are meant for requests. A load may take minutes, and wait for another one.
        connection.execute(text("SET LOCAL statement_timeout = '15min'"))
        connection.execute(text("SET LOCAL lock_timeout = '15min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOAD_LOCK})
        return _Load(connection, catalog, progress).run()


class _Load:
    """One load on its way."""

    def __init__(self, connection: Connection, catalog: CatalogFile, progress: Progress) -> None:
        self._connection = connection
        self._catalog = catalog
        self._progress = progress
        self._faults = list(catalog.faults)
        self._summary = LoadSummary()
        self._warehouses = self._names("warehouses", "warehouse", t.warehouses)
        self._rules = self._names("allocationRules", "allocation rule", t.allocation_rules)
        written = catalog.written.get("pricelists", frozenset())
        self._pricelists = Pricelists(connection, catalog.pricelists, written, self._faults)
        self._markets = self._names("markets", "market", t.markets)

    def run(self) -> LoadSummary:
        """Take every list in turn; last what slices want too, in their order: stock, then vouchers."""
        self._selling()
        items = self._items()
        vouchers = self._offers()
        self._business()
        if self._faults:
            raise CatalogRefusedError(self._faults)
        item_ids = dict(items.ids()) if items is not None else {}
        self._prices(item_ids)
        self._faults.extend(self._pricelists.left_behind())
        if self._faults:
            raise CatalogRefusedError(self._faults)
        self._stock(item_ids)
        if vouchers is not None:
            vouchers.lock()
            self._summary.counts["vouchers"] = vouchers.write()
            self._summary.kept_vouchers = vouchers.kept("uses")
        self._finish()
        return self._summary

    def _selling(self) -> None:
        catalog = self._catalog
        self._list(rows.WAREHOUSES, catalog.warehouses)
        self._warehouses.read()
        self._list(rows.ALLOCATION_RULES, rows.allocation_rules(catalog.allocation_rules, self._warehouses))
        self._rules.read()
        self._list(rows.PRICELISTS, catalog.pricelists)
        self._pricelists.read()
        self._faults.extend(self._second_defaults())
        self._list(rows.SHIPPING_OPTIONS, rows.shipping_options(catalog.shipping_options))
        self._list(rows.MARKETS, rows.markets(catalog.markets, self._pricelists, self._rules))
        self._markets.read()

    def _items(self) -> IncomingList | None:
        found = self._catalog.items
        made = rows.items(found, self._markets, self._pricelists, self._warehouses)
        return self._list(rows.ITEMS, self._ticking("items", len(found), made))

    def _offers(self) -> IncomingList | None:
        """Write the campaigns; give the vouchers, compared but not written yet."""
        found = self._catalog.campaigns
        wanted = sorted({sku for campaign in found for sku in campaign.skus or ()})
        query = select(t.items.c.sku, t.items.c.id).where(t.items.c.sku == text("ANY(:skus)"))
        item_ids = dict(self._connection.execute(query, {"skus": wanted}).tuples().all())
        known = item_ids.keys() | self._catalog.written.get("items", frozenset())
        for campaign in found:
            self._faults.extend(
                f"campaigns[{campaign.at}].skus: neither the file nor the database has SKU {quoted(sku)}"
                for sku in campaign.skus or ()
                if sku not in known
            )
        self._list(rows.CAMPAIGNS, rows.campaigns(found, self._pricelists, item_ids))
        return self._compared(rows.VOUCHERS, rows.vouchers(self._catalog.vouchers, self._markets))

    def _business(self) -> None:
        accounts = self._catalog.accounts
        self._list(rows.ACCOUNTS, rows.accounts(accounts))
        if not self._faults:
            ids = dict(self._connection.execute(select(t.accounts.c.name, t.accounts.c.id)).tuples().all())
            self._summary.counts["buyers"] = load_buyers(self._connection, accounts, ids, self._faults)
        self._list(rows.DELIVERY_WINDOWS, self._catalog.delivery_windows)

    def _prices(self, item_ids: dict[int, int]) -> None:
        ids = self._pricelists.ids
        every = dict.fromkeys(ids)
        total = sum(len(every if item.prices is None else item.prices) for item in self._catalog.items)
        made = (
            (item_ids[item.at], ids[name], price)
            for item in self._catalog.items
            for name, price in (every if item.prices is None else item.prices).items()
        )
        coming = self._ticking("prices", total, made)
        self._summary.counts["prices"] = load_prices(self._connection, coming) if total else Count()

    def _stock(self, item_ids: dict[int, int]) -> None:
        ids = self._warehouses.ids
        every = dict.fromkeys(ids)
        made = (
            (item_ids[item.at], ids[name], physical)
            for item in self._catalog.items
            for name, physical in (every if item.stock is None else item.stock).items()
        )
        total = sum(len(every if item.stock is None else item.stock) for item in self._catalog.items)
        # Another threshold, another list of warehouses, an item that may be sold again: units become free.
        counts = self._summary.counts
        serve_all = any(counts[name].changed for name in ("warehouses", "allocationRules", "items"))
        if total == 0 and not serve_all:
            counts["stock"] = Count()
            return
        loaded = load_stock(self._connection, self._ticking("stock", total, made), serve_all=serve_all)
        self._summary.counts["stock"] = loaded.count
        self._summary.kept_stock, self._summary.kept_stock_skus = loaded.kept, loaded.kept_skus

    def _finish(self) -> None:
        connection, counts = self._connection, self._summary.counts
        for table in (t.items, t.prices, t.stock):
            if counts[table.name].inserted >= _ROWS_TO_ANALYZE:
                # Plans made while the table was empty are made anew.
                connection.execute(text(f"ANALYZE {table.name}"))
        self._summary.version = _bump(connection) if self._summary.changed else _version(connection)

    def _second_defaults(self) -> Iterator[str]:
        """Countries that would have two default shipping options: nobody could say which one it is."""
        found = self._catalog.shipping_options
        options = t.shipping_options
        query = select(options.c.uri, options.c.countries, options.c.is_default).order_by(options.c.id)
        there = {uri: (countries, default) for uri, countries, default in self._connection.execute(query)}
        before = {row.uri: there.pop(row.uri, ((), False)) for row in found}
        owners = {
            country: uri
            for uri, (countries, default) in there.items()
            for country in (countries if default else ())
        }
        for row in found:
            had, was_default = before[row.uri]
            countries = (row.countries or ()) if "countries" in row.named else had
            is_default = row.is_default if "default" in row.named else was_default
            for country in countries if is_default else ():
                owner = owners.setdefault(country, row.uri)
                if owner != row.uri:
                    pointer = f"shippingOptions[{row.at}].default"
                    yield f"{pointer}: {quoted(owner)} is the default of {country}; a country has one"

    def _list(self, listing: Listing, made: Iterable[Sequence[Any]]) -> IncomingList | None:
        incoming = self._compared(listing, made)
        if incoming is not None and not self._faults:
            self._summary.counts[listing.name] = incoming.write()
        return incoming

    def _compared(self, listing: Listing, made: Iterable[Sequence[Any]]) -> IncomingList | None:
        """A list of the file that has rows, compared with what is there."""
        coming = iter(made)
        first = next(coming, None)
        self._summary.counts[listing.name] = Count()
        if first is None:
            return None
        incoming = IncomingList(self._connection, listing, chain([first], coming))
        self._faults.extend(incoming.faults())
        return incoming

    def _names(self, name: str, noun: str, table: Table) -> Names:
        written = self._catalog.written.get(name, frozenset())
        return Names(self._connection, noun, table, written, self._faults)

    def _ticking(self, what: str, total: int, made: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        for at, row in enumerate(made):
            if at % _ROWS_BETWEEN_TICKS == 0:
                self._progress(f"sending {what}", at, total)
            yield row
        self._progress(f"writing {what}", 0, 1)


def _bump(connection: Connection) -> int:
    first = insert(t.catalog_state).values(version=1)
    later = first.on_conflict_do_update(
        index_elements=["only"], set_={"version": t.catalog_state.c.version + 1}
    )
    version: int = connection.execute(later.returning(t.catalog_state.c.version)).scalar_one()
    return version


def _version(connection: Connection) -> int:
    return connection.execute(select(t.catalog_state.c.version)).scalar_one_or_none() or 0
