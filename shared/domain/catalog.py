"""What the shop sells, where and for how much: the snapshot that a slice is decided against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Split(StrEnum):
    """How an allocation rule breaks a completed order up."""

    NONE = "none"
    WAREHOUSE = "warehouse"
    AVAILABILITY = "availability"


@dataclass(frozen=True, slots=True)
class AllocationRule:
    """Warehouses in order of preference, and what becomes of an order that several of them ship."""

    id: int
    name: str
    warehouse_ids: tuple[int, ...]
    split: Split = Split.NONE


@dataclass(frozen=True, slots=True)
class Pricelist:
    """A list of prices in one currency (ISO 4217)."""

    id: int
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Market:
    """Where is sold; its countries decide for orders that name no market."""

    id: int
    name: str
    countries: frozenset[str]
    pricelist_id: int
    allocation_rule_id: int


@dataclass(frozen=True, slots=True)
class Item:
    """One sellable size of a product. ``market_ids`` None: sold in every market."""

    id: int
    sku: str
    ean: str | None = None
    active: bool = True
    market_ids: frozenset[int] | None = None
    prices: Mapping[int, Decimal] = field(default_factory=dict)
    """Price by pricelist id."""

    def sold_in(self, market: Market) -> bool:
        """Whether this market has the item."""
        return self.market_ids is None or market.id in self.market_ids


@dataclass(frozen=True, slots=True)
class Reference:
    """The small tables of the catalog, by id and by name."""

    version: int
    markets: Mapping[int, Market]
    pricelists: Mapping[int, Pricelist]
    rules: Mapping[int, AllocationRule]
    thresholds: Mapping[int, int]
    """Units that a warehouse never sells, by warehouse id; absent is 0."""
    market_names: Mapping[str, Market]
    pricelist_names: Mapping[str, Pricelist]
    rule_names: Mapping[str, AllocationRule]
    country_markets: Mapping[str, Market]
    """The market of a country: the one with the lowest id when several claim it."""


def index_reference(
    version: int,
    markets: list[Market],
    pricelists: list[Pricelist],
    rules: list[AllocationRule],
    thresholds: Mapping[int, int],
) -> Reference:
    """Put the small tables where deciding finds them."""
    by_country: dict[str, Market] = {}
    for market in sorted(markets, key=lambda m: m.id):
        for country in market.countries:
            by_country.setdefault(country, market)
    return Reference(
        version=version,
        markets={m.id: m for m in markets},
        pricelists={p.id: p for p in pricelists},
        rules={r.id: r for r in rules},
        thresholds=dict(thresholds),
        market_names={m.name: m for m in markets},
        pricelist_names={p.name: p for p in pricelists},
        rule_names={r.name: r for r in rules},
        country_markets=by_country,
    )


@dataclass(frozen=True, slots=True)
class Assortment:
    """The items that a slice's lines ask for, by each way of naming them."""

    by_id: Mapping[int, Item]
    by_sku: Mapping[str, Item]
    by_ean: Mapping[str, Item]

    @classmethod
    def of(cls, items: list[Item]) -> Assortment:
        """Index the items."""
        return cls(
            by_id={i.id: i for i in items},
            by_sku={i.sku: i for i in items},
            by_ean={i.ean: i for i in items if i.ean is not None},
        )


@dataclass(frozen=True, slots=True)
class Customers:
    """The customers that a slice's orders name."""

    known_ids: frozenset[int] = frozenset()
    registered: Mapping[str, int] = field(default_factory=dict)
    """Registered customer's id by lower-case e-mail."""
