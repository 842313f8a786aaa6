"""The names by which the rows of a catalog file refer to each other, and to what the database has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, Table, func, select

from shared.domain.catalog_file import PricelistRow
from shared.domain.currencies import decimals, in_units, too_many_decimals, unit
from shared.domain.outcome import quoted
from shared.persistence.core.tables import items, pricelists, prices

_NAMES_TOLD: Final = 10


class Names:
    """The names of one list: those in the database with their ids, and those that only the file has yet."""

    def __init__(
        self, connection: Connection, noun: str, table: Table, written: Iterable[str], faults: list[str]
    ) -> None:
        """``written`` are the names in the file. What is looked up in vain goes to ``faults``."""
        self._connection = connection
        self._noun = noun
        self._table = table
        self._written = frozenset(written)
        self._faults = faults
        self.ids: Mapping[str, int] = {}
        self.read()

    def read(self) -> None:
        """Read the ids, those of rows just written too."""
        rows = self._connection.execute(select(self._table.c.name, self._table.c.id))
        self.ids = dict(rows.tuples().all())

    def id_of(self, name: str, pointer: str) -> int | None:
        """The id of ``name``, which stands at ``pointer``; None while only the file has it, or nobody."""
        found = self.ids.get(name)
        if found is None and name not in self._written:
            self._faults.append(f"{pointer}: no {self._noun} is named {quoted(name)}; {self._known()}")
        return found

    def _known(self) -> str:
        known = sorted(self._written | self.ids.keys())
        told = ", ".join(quoted(name) for name in known[:_NAMES_TOLD])
        if not known:
            return "neither file nor database has any"
        more = f" and {len(known) - _NAMES_TOLD} more" if len(known) > _NAMES_TOLD else ""
        return f"the file and the database have {told}{more}"


class Pricelists(Names):
    """The pricelists, with the currencies in which their prices are."""

    def __init__(
        self, connection: Connection, rows: Sequence[PricelistRow], written: Iterable[str], faults: list[str]
    ) -> None:
        """``rows`` are the pricelists of the file, which may change a currency, or be new."""
        super().__init__(connection, "pricelist", pricelists, written, faults)
        query = select(pricelists.c.name, pricelists.c.currency)
        self._before = dict(connection.execute(query).tuples().all())
        named = {row.name: row.currency for row in rows if row.currency is not None}
        self._currencies = {**self._before, **named}

    def check(self, name: str, price: Decimal | None, pointer: str) -> None:
        """Tell of a price, which stands at ``pointer``, that its pricelist's currency cannot write."""
        currency = self._currencies.get(name)
        if price is None or currency is None or in_units(price, unit(currency)) is not None:
            return
        self._faults.append(f"{pointer}.{name}: {too_many_decimals(price, currency)}")

    def left_behind(self) -> Iterator[str]:
        """Tell of prices, once all are written, that a pricelist's new currency cannot write."""
        for name, currency in self._currencies.items():
            if self._before.get(name, currency) == currency:
                continue
            price = prices.c.price
            query = (
                select(items.c.sku, price)
                .join_from(prices, items, items.c.id == prices.c.item_id)
                .where(prices.c.pricelist_id == self.ids[name])
                .where(price != func.round(price, decimals(currency)))
                .order_by(items.c.id)
                .limit(1)
            )
            for sku, found in self._connection.execute(query):
                told = f"the price of SKU {quoted(sku)} there is {too_many_decimals(found, currency)}"
                yield f"pricelists.{name}.currency: {told}"
