"""The catalog file (contract §7) once it has been read: rows that still name each other by name.

``at`` is a row's place in its list, from 0: what is wrong with it is told as ``items[3]``. An ``id`` of None
is left to the database. ``named`` are the members that the row has in the file: of what exists already, only
those change. The others have the defaults of a new row here, and those that a new row must have are None.

A value by name (a price, an amount, a line of an address) is None where the file has ``null``: it is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

FAULTS_SHOWN: Final = 50

Progress = Callable[[str, int, int], None]
"""Is told ``(step, done, total)`` while a catalog is loaded; what is counted depends on the step."""


Amounts = Mapping[str, Decimal | None]
"""Amounts by name, None for one that is cleared."""


class CatalogRefusedError(Exception):
    """A catalog is not loaded, for every reason in ``faults``; nothing of it has been written."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f"{len(faults)} faults, the first: {faults[0]}")
        self.faults = tuple(faults)

    def told(self, most: int = FAULTS_SHOWN) -> list[str]:
        """Tell the faults as lines, at most ``most`` and one that counts the rest."""
        rest = len(self.faults) - most
        return [*self.faults[:most], *([f"… and {rest:,} more"] if rest > 0 else [])]


class WarehouseRow(NamedTuple):
    """``threshold``: units that are never sold."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    threshold: int


class AllocationRuleRow(NamedTuple):
    """``warehouses`` by name, in order of preference."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    warehouses: Sequence[str] | None
    split: str


class PricelistRow(NamedTuple):
    """``currency``: ISO 4217."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    currency: str | None


class ShippingOptionRow(NamedTuple):
    """``prices`` by currency."""

    at: int
    named: frozenset[str]
    id: int | None
    uri: str
    name: str | None
    countries: Sequence[str] | None
    is_default: bool
    prices: Amounts | None


class MarketRow(NamedTuple):
    """``pricelist`` and ``allocation_rule`` by name."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    countries: Sequence[str]
    pricelist: str | None
    allocation_rule: str | None


class ItemRow(NamedTuple):
    """``markets`` None: every market. ``prices`` by pricelist, ``stock`` (physical units) by warehouse.

    Prices or stock of None are all cleared.
    """

    at: int
    named: frozenset[str]
    id: int | None
    sku: str
    ean: str | None
    upc: str | None
    product: str
    variant: str
    size: str
    brand: str
    active: bool
    markets: Sequence[str] | None
    prices: Amounts | None
    stock: Mapping[str, int | None] | None


class CampaignRow(NamedTuple):
    """``percent`` off the items ``skus`` from ``starts_at`` to just before ``ends_at``."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    pricelist: str | None
    percent: Decimal | None
    starts_at: datetime | None
    ends_at: datetime | None
    skus: Sequence[str] | None


class VoucherRow(NamedTuple):
    """Known by its ``code``, else by its ``name``. Amounts by currency; ``uses`` None: no limit.

    Valid from ``starts_at`` to just before ``ends_at``, in ``markets`` by name; None: in every one.
    """

    at: int
    named: frozenset[str]
    id: int | None
    code: str | None
    name: str | None
    automatic: bool
    percent: Decimal | None
    amounts: Amounts | None
    minimums: Amounts | None
    uses: int | None
    active: bool
    starts_at: datetime | None
    ends_at: datetime | None
    markets: Sequence[str] | None


class BuyerRow(NamedTuple):
    """A person who orders for an account; the id counts within the account."""

    named: frozenset[str]
    id: int | None
    name: str | None
    is_default: bool


class AccountRow(NamedTuple):
    """A B2B customer; ``address`` has the names of an order's address. Buyers of None are all cleared."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    address: Mapping[str, Any] | None
    buyers: Sequence[BuyerRow] | None


class DeliveryWindowRow(NamedTuple):
    """A ``preorder`` window takes no stock."""

    at: int
    named: frozenset[str]
    id: int | None
    name: str
    preorder: bool


@dataclass(kw_only=True)
class CatalogFile:
    """The rows that are right in themselves, and what is wrong with the others."""

    warehouses: Sequence[WarehouseRow] = ()
    allocation_rules: Sequence[AllocationRuleRow] = ()
    pricelists: Sequence[PricelistRow] = ()
    shipping_options: Sequence[ShippingOptionRow] = ()
    markets: Sequence[MarketRow] = ()
    items: Sequence[ItemRow] = ()
    campaigns: Sequence[CampaignRow] = ()
    vouchers: Sequence[VoucherRow] = ()
    accounts: Sequence[AccountRow] = ()
    delivery_windows: Sequence[DeliveryWindowRow] = ()
    written: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """List → the names in it, those of faulty rows too: naming one of them is no second fault."""
    faults: list[str] = field(default_factory=list)


@dataclass
class Count:
    """What a load did to the rows of one list."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass
class LoadSummary:
    """What a load did, list by list."""

    counts: dict[str, Count] = field(default_factory=dict)
    kept_stock: int = 0
    """Rows of stock that were to go below what is allocated, and were set to just that."""
    kept_stock_skus: list[str] = field(default_factory=list)
    """The first few of them."""
    kept_vouchers: list[str] = field(default_factory=list)
    """Vouchers that were to have fewer uses than were used, and were set to just those."""
    version: int = 0
    """The catalog's version after the load."""

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        return any(count.inserted or count.changed for count in self.counts.values())
