"""The catalog: what is sold, where and for how much, as a slice is decided against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.codes import same_code
from shared.domain.currencies import unit
from shared.domain.order import Address
from shared.domain.vouchers import Voucher, VouchersByCode, compared, percent_of


class SplitBy(StrEnum):
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
    split: SplitBy = SplitBy.NONE


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
class ShippingOption:
    """A way to ship; its countries are those whose orders get it unasked, where it is ``default``."""

    uri: str
    name: str
    countries: frozenset[str]
    default: bool
    prices: Mapping[str, Decimal]
    """Price by currency."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A reduction of some items' prices in one pricelist, while it runs."""

    pricelist_id: int
    percent: Decimal
    starts_at: datetime | None
    ends_at: datetime | None
    item_ids: frozenset[int]

    def runs_at(self, moment: datetime) -> bool:
        """Whether it has begun and not ended."""
        begun = self.starts_at is None or self.starts_at <= moment
        return begun and (self.ends_at is None or moment < self.ends_at)


@dataclass(frozen=True, slots=True)
class DeliveryWindow:
    """B2B: when an order is delivered; a ``preorder`` window takes no stock."""

    name: str
    preorder: bool


@dataclass(frozen=True, slots=True)
class Account:
    """B2B: a customer account, with what stands in where an order says nothing."""

    id: int
    name: str
    address: Address | None
    buyers: Mapping[int, str]
    """Buyer's name by id."""
    default_buyer_id: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """One sellable size of a product. ``market_ids`` None: sold in every market."""

    id: int
    sku: str
    ean: str | None = None
    upc: str | None = None
    active: bool = True
    market_ids: frozenset[int] | None = None
    prices: Mapping[int, Decimal] = field(default_factory=dict)
    """Price by pricelist id."""
    version: int = 0
    """Which words it is sold with: it counts how often they have changed."""

    def sold_in(self, market: Market) -> bool:
        """Whether this market has the item."""
        return self.market_ids is None or market.id in self.market_ids


@dataclass(frozen=True, slots=True)
class CatalogIndex:
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
    shipping: Mapping[str, ShippingOption] = field(default_factory=dict)
    """By URI."""
    country_shipping: Mapping[str, ShippingOption] = field(default_factory=dict)
    """The default option of a country: the first by URI when several claim it."""
    windows: Mapping[str, DeliveryWindow] = field(default_factory=dict)
    campaigns: Mapping[int, tuple[Campaign, ...]] = field(default_factory=dict)
    """By pricelist id."""
    voucher_codes: Mapping[str, Voucher] = field(default_factory=dict)
    automatic_vouchers: tuple[Voucher, ...] = ()

    def campaign_price(self, item_id: int, pricelist: Pricelist, price: Decimal, moment: datetime) -> Decimal:
        """The lowest price that a running campaign gives an item; ``price`` where none does."""
        reductions = [
            campaign.percent
            for campaign in self.campaigns.get(pricelist.id, ())
            if item_id in campaign.item_ids and campaign.runs_at(moment)
        ]
        if not reductions:
            return price
        return price - percent_of(price, max(reductions), unit(pricelist.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallTables:
    """The rows of the catalog's small tables, as read."""

    markets: list[Market]
    pricelists: list[Pricelist]
    rules: list[AllocationRule]
    thresholds: Mapping[int, int] = field(default_factory=dict)
    shipping: list[ShippingOption] = field(default_factory=list)
    windows: list[DeliveryWindow] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    vouchers: list[Voucher] = field(default_factory=list)


def index_catalog(version: int, tables: SmallTables) -> CatalogIndex:
    """Put the small tables where deciding finds them."""
    by_country: dict[str, Market] = {}
    for market in sorted(tables.markets, key=lambda m: m.id):
        for country in market.countries:
            by_country.setdefault(country, market)
    shipped_by: dict[str, ShippingOption] = {}
    for option in sorted(tables.shipping, key=lambda o: o.uri):
        for country in option.countries if option.default else ():
            shipped_by.setdefault(country, option)
    campaigns: dict[int, tuple[Campaign, ...]] = {}
    for campaign in tables.campaigns:
        campaigns[campaign.pricelist_id] = (*campaigns.get(campaign.pricelist_id, ()), campaign)
    return CatalogIndex(
        version=version,
        markets={m.id: m for m in tables.markets},
        pricelists={p.id: p for p in tables.pricelists},
        rules={r.id: r for r in tables.rules},
        thresholds=dict(tables.thresholds),
        market_names={compared(m.name): m for m in tables.markets},
        pricelist_names={compared(p.name): p for p in tables.pricelists},
        rule_names={compared(r.name): r for r in tables.rules},
        country_markets=by_country,
        shipping={compared(o.uri): o for o in tables.shipping},
        country_shipping=shipped_by,
        windows={compared(w.name): w for w in tables.windows},
        campaigns=campaigns,
        voucher_codes=VouchersByCode(tables.vouchers),
        automatic_vouchers=tuple(v for v in tables.vouchers if v.automatic),
    )


@dataclass(frozen=True, slots=True)
class Assortment:
    """The items that a slice's lines ask for, by each way of naming them."""

    by_id: Mapping[int, Item]
    by_sku: Mapping[str, Item]
    by_ean: Mapping[str, Item]
    by_upc: Mapping[str, Item]

    def by_code(self, *, ean: str | None = None, upc: str | None = None) -> Item | None:
        """The item of an EAN, or of a UPC: whichever of the two the item has it as."""
        code = same_code(ean or upc or "")
        named_so, else_so = (self.by_ean, self.by_upc) if upc is None else (self.by_upc, self.by_ean)
        return named_so.get(code) or else_so.get(code)

    @classmethod
    def of(cls, items: list[Item]) -> Assortment:
        """Index the items."""
        return cls(
            by_id={i.id: i for i in items},
            by_sku={i.sku: i for i in items},
            by_ean={same_code(i.ean): i for i in items if i.ean is not None},
            by_upc={same_code(i.upc): i for i in items if i.upc is not None},
        )


@dataclass(frozen=True, slots=True)
class Customers:
    """The customers that a slice's orders name."""

    known_ids: frozenset[int] = frozenset()
    registered: Mapping[str, int] = field(default_factory=dict)
    """Registered customer's id by mailbox."""
