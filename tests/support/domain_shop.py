"""A small shop in memory: a lamp, a stool and their odd neighbours, in three warehouses and two markets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.allocation import AvailableStock
from shared.domain.catalog import (
    Account,
    AllocationRule,
    Assortment,
    Campaign,
    CatalogIndex,
    Customers,
    DeliveryWindow,
    Item,
    Market,
    Pricelist,
    ShippingOption,
    SmallTables,
    SplitBy,
    index_catalog,
)
from shared.domain.decide import Placement, decide
from shared.domain.draft import Doomed, Draft
from shared.domain.locate import Snapshot
from shared.domain.order import Address, LineRequest, OrderNames, OrderRequest
from shared.domain.outcome import Rejected
from shared.domain.resolve import resolve
from shared.domain.vouchers import Uses, Voucher

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MAIN, SHOP, DEPOT = 1, 2, 3

BRASS_LAMP = Item(10, "BRASS-LAMP", ean="7310000000017", prices={1: Decimal("50.22"), 2: Decimal("560.00")})
RED_STOOL = Item(11, "RED-STOOL", ean="7310000000024", prices={1: Decimal("12.50"), 2: Decimal("140.00")})
TIN_KETTLE = Item(12, "TIN-KETTLE", prices={1: Decimal("8.00"), 2: Decimal("90.00")})
OLD_CLOCK = Item(13, "OLD-CLOCK", active=False, prices={1: Decimal("1.00")})
SNOW_GLOBE = Item(14, "SNOW-GLOBE", market_ids=frozenset({2}), prices={1: Decimal("5.00")})
GLASS_OWL = Item(15, "GLASS-OWL")
ITEMS = [BRASS_LAMP, RED_STOOL, TIN_KETTLE, OLD_CLOCK, SNOW_GLOBE, GLASS_OWL]

EUR = Pricelist(1, "EUR", "EUR")
SEK = Pricelist(2, "SEK", "SEK")
DEFAULT = AllocationRule(1, "Default", (MAIN, SHOP))
BY_WAREHOUSE = AllocationRule(2, "By warehouse", (MAIN, SHOP, DEPOT), SplitBy.WAREHOUSE)
BY_AVAILABILITY = AllocationRule(3, "By availability", (MAIN, SHOP, DEPOT), SplitBy.AVAILABILITY)
EUROPE = Market(1, "Europe", frozenset({"SE", "DE"}), pricelist_id=1, allocation_rule_id=1)
AMERICA = Market(2, "America", frozenset({"US", "SE"}), pricelist_id=2, allocation_rule_id=2)

EVA_AT_HOME = Address(
    "SE", "eva@example.com", {"country": "SE", "email": "eva@example.com", "city": "Göteborg"}
)
ACCOUNT = Account(7, "Shop AB", EVA_AT_HOME, buyers={1: "Eva", 2: "Bo"}, default_buyer_id=1)

TABLES = SmallTables(
    markets=[AMERICA, EUROPE],
    pricelists=[EUR, SEK],
    rules=[DEFAULT, BY_WAREHOUSE, BY_AVAILABILITY],
    shipping=[
        ShippingOption(
            "standard", "Standard", frozenset({"SE"}), default=True, prices={"EUR": Decimal("4.90")}
        ),
        ShippingOption(
            "express", "Express", frozenset({"SE"}), default=False, prices={"SEK": Decimal("99.00")}
        ),
    ],
    windows=[DeliveryWindow("AW27", preorder=True), DeliveryWindow("Now", preorder=False)],
    campaigns=[Campaign(1, Decimal(10), None, NOON, frozenset({RED_STOOL.id}))],
    vouchers=[
        Voucher(5, "ASLEEP", "Asleep", automatic=False, percent=Decimal(5), active=False),
        Voucher(6, "EARLY", "Early", automatic=False, percent=Decimal(5), starts_at=NOON + SECOND),
        Voucher(7, "LATE", "Late", automatic=False, percent=Decimal(5), ends_at=NOON),
        Voucher(8, "ABROAD", "Abroad", automatic=False, percent=Decimal(5), market_ids=frozenset({2})),
        Voucher(1, "TEN", "Ten", automatic=False, percent=Decimal(10)),
        Voucher(2, "GIFT", "Gift", automatic=False, amounts={"EUR": Decimal("5.00")}, limited=True),
        Voucher(
            4, "HUGE", "Huge", automatic=False, percent=Decimal(50), minimums={"EUR": Decimal("9999.00")}
        ),
        Voucher(
            3,
            None,
            "Over 100",
            automatic=True,
            amounts={"EUR": Decimal("10.00")},
            minimums={"EUR": Decimal("100.00")},
        ),
    ],
)
CATALOG: CatalogIndex = index_catalog(1, TABLES)
PLAIN: CatalogIndex = index_catalog(1, replace(TABLES, shipping=[], campaigns=[], vouchers=[]))
"""The same shop without shipping options, campaigns and vouchers, where money is only what an order says."""


def snapshot(catalog: CatalogIndex = CATALOG, items: Iterable[Item] = ITEMS, **changes: Any) -> Snapshot:
    """What a slice's orders are looked up in, at noon; customer 5 is registered as eva@example.com."""
    known = Customers(known_ids=frozenset({4, 5}), registered={"eva@example.com": 5})
    whole = Snapshot(catalog, Assortment.of(list(items)), NOON, customers=known, accounts={7: ACCOUNT})
    return replace(whole, **changes)


def line_request(
    item: Item = BRASS_LAMP, quantity: int = 1, price: str | None = None, **named: Any
) -> LineRequest:
    """A line that names its item by SKU unless told otherwise."""
    return LineRequest(
        quantity, unit_price=None if price is None else Decimal(price), **(named or {"sku": item.sku})
    )


def order_request(
    *lines: LineRequest, names: dict[str, Any] | None = None, **parameters: Any
) -> OrderRequest:
    """An order from Sweden; ``names`` is what it refers to by id or name."""
    addressed: dict[str, Any] = {"invoice": EVA_AT_HOME, "delivery": EVA_AT_HOME, **parameters}
    return OrderRequest(lines=lines or (line_request(),), names=OrderNames(**(names or {})), **addressed)


def draft(
    *lines: LineRequest, catalog: CatalogIndex = PLAIN, items: Iterable[Item] = ITEMS, **parameters: Any
) -> Draft:
    """An order with everything looked up."""
    found = resolve(order_request(*lines, **parameters), snapshot(catalog, items))
    assert isinstance(found, Draft), found
    return found


def stock(**units: int) -> AvailableStock:
    """Stock, told as ``lamp_main=3``: units of an item in a warehouse."""
    items = {"lamp": BRASS_LAMP, "stool": RED_STOOL, "kettle": TIN_KETTLE}
    houses = {"main": MAIN, "shop": SHOP, "depot": DEPOT}
    places = {tuple(place.split("_")): n for place, n in units.items()}
    return AvailableStock({(items[item].id, houses[house]): n for (item, house), n in places.items()})


def decided(
    *drafts: Draft | Doomed | Rejected, available: AvailableStock, uses: dict[int, int] | None = None
) -> list[Placement | Rejected]:
    """Decide drafts against stock; no limited voucher has a use left unless told so."""
    return decide(drafts, available, Uses(uses or {}))
