"""The rows of a catalog file as their tables have them: names become ids, amounts JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, case

from shared.domain.catalog_file import (
    AccountRow,
    AllocationRuleRow,
    CampaignRow,
    ItemRow,
    MarketRow,
    ShippingOptionRow,
    VoucherRow,
)
from shared.persistence import tables as t
from shared.persistence.catalog_listing import Listing
from shared.persistence.catalog_names import Names


def _uses(table: Table, incoming: Table) -> ColumnElement[Any]:
    """No fewer uses than there were."""
    return case((incoming.c.uses < table.c.used, table.c.used), else_=incoming.c.uses)


WAREHOUSES: Final = Listing("warehouses", "warehouse", t.warehouses, ["name", "threshold"])
ALLOCATION_RULES: Final = Listing(
    "allocationRules", "allocation rule", t.allocation_rules, ["name", "warehouse_ids", "split"]
)
PRICELISTS: Final = Listing("pricelists", "pricelist", t.pricelists, ["name", "currency"])
SHIPPING_OPTIONS: Final = Listing(
    "shippingOptions",
    "shipping option",
    t.shipping_options,
    ["uri", "name", "countries", "is_default", "prices"],
    keys=["uri"],
)
MARKETS: Final = Listing(
    "markets", "market", t.markets, ["name", "countries", "pricelist_id", "allocation_rule_id"]
)
ITEMS: Final = Listing(
    "items",
    "item",
    t.items,
    ["sku", "ean", "upc", "product", "variant", "size", "brand", "active", "market_ids"],
    keys=["sku"],
    unique=["ean", "upc"],
)
CAMPAIGNS: Final = Listing(
    "campaigns",
    "campaign",
    t.campaigns,
    ["name", "pricelist_id", "percent", "starts_at", "ends_at", "item_ids"],
)
VOUCHERS: Final = Listing(
    "vouchers",
    "voucher",
    t.vouchers,
    ["code", "name", "automatic", "percent", "amounts", "minimums", "uses"],
    keys=["code", "name"],
    unique=["name"],
    kept={"uses": _uses},
)
ACCOUNTS: Final = Listing("accounts", "account", t.accounts, ["name", "address"])
DELIVERY_WINDOWS: Final = Listing(
    "deliveryWindows", "delivery window", t.delivery_windows, ["name", "preorder"]
)


def allocation_rules(rows: Sequence[AllocationRuleRow], warehouses: Names) -> Iterator[Sequence[Any]]:
    """The rules with the ids of their warehouses."""
    for row in rows:
        ids = [
            warehouses.id_of(name, f"allocationRules[{row.at}].warehouses[{place}]")
            for place, name in enumerate(row.warehouses)
        ]
        yield row.at, row.id, row.name, ids, row.split


def shipping_options(rows: Sequence[ShippingOptionRow]) -> Iterator[Sequence[Any]]:
    """The options with their prices as JSON."""
    for row in rows:
        yield row.at, row.id, row.uri, row.name, list(row.countries), row.is_default, _json(row.prices)


def markets(rows: Sequence[MarketRow], pricelists: Names, rules: Names) -> Iterator[Sequence[Any]]:
    """The markets with the ids of what they sell by."""
    for row in rows:
        pricelist_id = pricelists.id_of(row.pricelist, f"markets[{row.at}].pricelist")
        rule_id = rules.id_of(row.allocation_rule, f"markets[{row.at}].allocationRule")
        yield row.at, row.id, row.name, list(row.countries), pricelist_id, rule_id


def items(
    rows: Sequence[ItemRow], markets: Names, pricelists: Names, warehouses: Names
) -> Iterator[Sequence[Any]]:
    """The items with the ids of their markets; the names in their prices and stock are looked up as well."""
    for row in rows:
        where = f"items[{row.at}]"
        market_ids = None
        if row.markets is not None:
            found = [markets.id_of(name, f"{where}.markets[{at}]") for at, name in enumerate(row.markets)]
            # In one order, so that the same markets compare equal.
            market_ids = sorted(market_id for market_id in found if market_id is not None)
        for name in row.prices:
            pricelists.id_of(name, f"{where}.prices")
        for name in row.stock:
            warehouses.id_of(name, f"{where}.stock")
        yield (*row[:10], market_ids)


def campaigns(
    rows: Sequence[CampaignRow], pricelists: Names, item_ids: Mapping[str, int]
) -> Iterator[Sequence[Any]]:
    """The campaigns with the ids of their items, as far as ``item_ids`` has them."""
    for row in rows:
        pricelist_id = pricelists.id_of(row.pricelist, f"campaigns[{row.at}].pricelist")
        ids = sorted(item_ids[sku] for sku in row.skus if sku in item_ids)
        yield row.at, row.id, row.name, pricelist_id, row.percent, row.starts_at, row.ends_at, ids


def vouchers(rows: Sequence[VoucherRow]) -> Iterator[Sequence[Any]]:
    """The vouchers with their amounts as JSON."""
    for row in rows:
        yield (*row[:6], _json(row.amounts), _json(row.minimums), row.uses)


def accounts(rows: Sequence[AccountRow]) -> Iterator[Sequence[Any]]:
    """The accounts with their addresses as JSON."""
    for row in rows:
        yield row.at, row.id, row.name, None if row.address is None else json.dumps(dict(row.address))


def _json(amounts: Mapping[str, Decimal] | None) -> str | None:
    return (
        None if amounts is None else json.dumps({name: f"{amount:.2f}" for name, amount in amounts.items()})
    )
