"""The rows of a catalog file as their tables have them: names become ids, amounts JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, case, func

from shared.domain.catalog_file import (
    AccountRow,
    AllocationRuleRow,
    Amounts,
    CampaignRow,
    ItemRow,
    MarketRow,
    ShippingOptionRow,
    VoucherRow,
)
from shared.domain.order import STATES_NEEDED
from shared.domain.vouchers import code_key
from shared.persistence.catalog.merge import Listing, Rule
from shared.persistence.catalog.names import Names, Pricelists
from shared.persistence.core import tables as t


def _uses(table: Table, incoming: Table) -> ColumnElement[Any]:
    """No fewer uses than there were."""
    return case((incoming.c.uses < table.c.used, table.c.used), else_=incoming.c.uses)


_ENDS_LATER: Final = Rule("to", lambda row: row.c.ends_at <= row.c.starts_at, "is not after from")

WAREHOUSES: Final = Listing("warehouses", "warehouse", t.warehouses, ["name", "threshold"])
ALLOCATION_RULES: Final = Listing(
    "allocationRules",
    "allocation rule",
    t.allocation_rules,
    ["name", "warehouse_ids", "split"],
    members={"warehouse_ids": "warehouses"},
    needed=["warehouse_ids"],
)
PRICELISTS: Final = Listing(
    "pricelists", "pricelist", t.pricelists, ["name", "currency"], needed=["currency"]
)
SHIPPING_OPTIONS: Final = Listing(
    "shippingOptions",
    "shipping option",
    t.shipping_options,
    ["uri", "name", "countries", "is_default", "prices"],
    keys=["uri"],
    members={"is_default": "default", "prices": "price"},
    needed=["name", "countries"],
    merged=["prices"],
)
MARKETS: Final = Listing(
    "markets",
    "market",
    t.markets,
    ["name", "countries", "pricelist_id", "allocation_rule_id"],
    members={"pricelist_id": "pricelist", "allocation_rule_id": "allocationRule"},
    needed=["pricelist_id", "allocation_rule_id"],
)
ITEMS: Final = Listing(
    "items",
    "item",
    t.items,
    ["sku", "ean", "upc", "product", "variant", "size", "brand", "active", "market_ids"],
    keys=["sku"],
    unique=["ean", "upc"],
    members={"market_ids": "markets"},
)
CAMPAIGNS: Final = Listing(
    "campaigns",
    "campaign",
    t.campaigns,
    ["name", "pricelist_id", "percent", "starts_at", "ends_at", "item_ids"],
    members={"pricelist_id": "pricelist", "starts_at": "from", "ends_at": "to", "item_ids": "skus"},
    needed=["pricelist_id", "percent", "item_ids"],
    rules=[_ENDS_LATER],
)
VOUCHERS: Final = Listing(
    "vouchers",
    "voucher",
    t.vouchers,
    [
        *("code", "code_key", "name", "automatic", "percent", "amounts", "minimums", "uses"),
        *("active", "starts_at", "ends_at", "market_ids"),
    ],
    keys=["code_key", "name"],
    shown=["code", "name"],
    members={
        "code_key": "code",
        "amounts": "amount",
        "minimums": "minimum",
        "starts_at": "from",
        "ends_at": "to",
        "market_ids": "markets",
    },
    merged=["amounts", "minimums"],
    rules=[
        Rule(
            "code",
            lambda row: and_(row.c.code.is_(None), ~row.c.automatic),
            "is missing; only a voucher with automatic: true goes without",
        ),
        Rule(
            "percent",
            lambda row: row.c.percent.is_(None) == row.c.amounts.is_(None),
            "a voucher has either percent or amount; give it the one, and null where it has the other",
        ),
        _ENDS_LATER,
    ],
    unique=["name"],
    kept={"uses": _uses},
)
ACCOUNTS: Final = Listing(
    "accounts",
    "account",
    t.accounts,
    ["name", "address"],
    merged=["address"],
    rules=[
        Rule(
            "address.country",
            lambda row: and_(row.c.address.is_not(None), row.c.address["country"].astext.is_(None)),
            "is required",
        ),
        Rule(
            "address.state",
            lambda row: and_(
                row.c.address["country"].astext.in_(sorted(STATES_NEEDED)),
                func.btrim(func.coalesce(row.c.address["state"].astext, "")) == "",
            ),
            f"is required for countries {', '.join(sorted(STATES_NEEDED))}",
        ),
    ],
)
DELIVERY_WINDOWS: Final = Listing(
    "deliveryWindows", "delivery window", t.delivery_windows, ["name", "preorder"]
)


def allocation_rules(rows: Sequence[AllocationRuleRow], warehouses: Names) -> Iterator[Sequence[Any]]:
    """The rules with the ids of their warehouses."""
    for row in rows:
        ids = [
            warehouses.id_of(name, f"allocationRules[{row.at}].warehouses[{place}]")
            for place, name in enumerate(row.warehouses or ())
        ]
        yield row.at, row.named, row.id, row.name, ids, row.split


def shipping_options(rows: Sequence[ShippingOptionRow]) -> Iterator[Sequence[Any]]:
    """The options with their prices as JSON."""
    for row in rows:
        yield (
            row.at,
            row.named,
            row.id,
            row.uri,
            row.name,
            list(row.countries or ()),
            row.is_default,
            _json(row.prices),
        )


def markets(rows: Sequence[MarketRow], pricelists: Names, rules: Names) -> Iterator[Sequence[Any]]:
    """The markets with the ids of what they sell by."""
    for row in rows:
        pricelist_id = _id_of(pricelists, row.pricelist, f"markets[{row.at}].pricelist")
        rule_id = _id_of(rules, row.allocation_rule, f"markets[{row.at}].allocationRule")
        yield row.at, row.named, row.id, row.name, list(row.countries), pricelist_id, rule_id


def items(
    rows: Sequence[ItemRow], markets: Names, pricelists: Pricelists, warehouses: Names
) -> Iterator[Sequence[Any]]:
    """The items with the ids of their markets; the names in their prices and stock are looked up as well."""
    for row in rows:
        where = f"items[{row.at}]"
        market_ids = _market_ids(row.markets, markets, where)
        for name, price in (row.prices or {}).items():
            pricelists.id_of(name, f"{where}.prices")
            pricelists.check(name, price, f"{where}.prices")
        for name in row.stock or ():
            warehouses.id_of(name, f"{where}.stock")
        yield (*row[:11], market_ids)


def campaigns(
    rows: Sequence[CampaignRow], pricelists: Names, item_ids: Mapping[str, int]
) -> Iterator[Sequence[Any]]:
    """The campaigns with the ids of their items, as far as ``item_ids`` has them."""
    for row in rows:
        pricelist_id = _id_of(pricelists, row.pricelist, f"campaigns[{row.at}].pricelist")
        ids = sorted(item_ids[sku] for sku in row.skus or () if sku in item_ids)
        yield row.at, row.named, row.id, row.name, pricelist_id, row.percent, row.starts_at, row.ends_at, ids


def vouchers(rows: Sequence[VoucherRow], markets: Names) -> Iterator[Sequence[Any]]:
    """The vouchers with their amounts as JSON, and the ids of their markets."""
    for row in rows:
        key = None if row.code is None else code_key(row.code)
        kind = (row.automatic, row.percent, _json(row.amounts), _json(row.minimums))
        when = (row.active, row.starts_at, row.ends_at)
        where = _market_ids(row.markets, markets, f"vouchers[{row.at}]")
        yield row.at, row.named, row.id, row.code, key, row.name, *kind, row.uses, *when, where


def accounts(rows: Sequence[AccountRow]) -> Iterator[Sequence[Any]]:
    """The accounts with their addresses as JSON."""
    for row in rows:
        yield (
            row.at,
            row.named,
            row.id,
            row.name,
            None if row.address is None else json.dumps(dict(row.address)),
        )


def _market_ids(names: Sequence[str] | None, markets: Names, where: str) -> list[int] | None:
    """The ids of the markets that a row names; None: it is for every one."""
    if names is None:
        return None
    found = [markets.id_of(name, f"{where}.markets[{at}]") for at, name in enumerate(names)]
    # In one order, so that the same markets compare equal.
    return sorted(market_id for market_id in found if market_id is not None)


def _id_of(names: Names, name: str | None, pointer: str) -> int | None:
    """The id of what a row names; None of what it does not."""
    return None if name is None else names.id_of(name, pointer)


def _json(amounts: Amounts | None) -> str | None:
    if amounts is None:
        return None
    # null clears a name: it is taken out once it has been put on what there is.
    return json.dumps({name: None if amount is None else f"{amount:f}" for name, amount in amounts.items()})
