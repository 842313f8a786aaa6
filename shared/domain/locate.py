"""Where an order is sold, at which prices and from which warehouses: ids win over names over defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.catalog import (
    Account,
    AllocationRule,
    Assortment,
    Customers,
    Market,
    Pricelist,
    Reference,
)
from shared.domain.order import References
from shared.domain.outcome import Code, Fault, quoted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a slice's orders are looked up in."""

    reference: Reference
    assortment: Assortment
    moment: datetime
    """When it is decided: which campaigns run."""
    customers: Customers = field(default_factory=Customers)
    accounts: Mapping[int, Account] = field(default_factory=dict)
    origin_numbers: frozenset[int] = frozenset()
    """Which of the orders that others are made from exist."""
    taken_numbers: frozenset[int] = frozenset()
    market_ids: frozenset[int] | None = None
    """The markets that the API key is limited to; None: every one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order is sold, at which prices, and from which warehouses."""

    market: Market
    pricelist: Pricelist
    rule: AllocationRule


def locate(names: References, country: str | None, snapshot: Snapshot) -> tuple[Place | None, list[Fault]]:
    """Market, pricelist and allocation rule: an id wins over a name, a name over the default."""
    reference = snapshot.reference
    faults: list[Fault] = []
    market = _market(names, country, snapshot, faults)
    pricelist: Pricelist | None = None
    if names.pricelist_id is not None:
        pricelist = reference.pricelists.get(names.pricelist_id)
        if pricelist is None:
            faults.append(_unknown("/pricelistId", "pricelist has id", names.pricelist_id))
    elif names.pricelist is not None:
        pricelist = reference.pricelist_names.get(names.pricelist)
        if pricelist is None:
            faults.append(_unknown("/pricelist", "pricelist is named", names.pricelist))
    elif market is not None:
        pricelist = reference.pricelists[market.pricelist_id]
    rule: AllocationRule | None = None
    if names.warehouse_group is not None:
        rule = reference.rule_names.get(names.warehouse_group)
        if rule is None:
            faults.append(_unknown("/warehouseGroup", "allocation rule is named", names.warehouse_group))
    elif market is not None:
        rule = reference.rules[market.allocation_rule_id]
    if market is None or pricelist is None or rule is None:
        return None, faults
    return Place(market, pricelist, rule), faults


def _market(names: References, country: str | None, snapshot: Snapshot, faults: list[Fault]) -> Market | None:
    reference = snapshot.reference
    market: Market | None = None
    pointer = "/marketId" if names.market_id is not None else "/market"
    if names.market_id is not None:
        market = reference.markets.get(names.market_id)
        if market is None:
            faults.append(_unknown(pointer, "market has id", names.market_id))
    elif names.market is not None:
        market = reference.market_names.get(names.market)
        if market is None:
            faults.append(_unknown(pointer, "market is named", names.market))
    elif country is not None:
        market = reference.country_markets.get(country)
        if market is None:
            msg = f"no market has the delivery country {quoted(country)}; name one with marketId or market"
            faults.append(Fault(Code.GENERAL, pointer, msg))
    if market is not None and snapshot.market_ids is not None and market.id not in snapshot.market_ids:
        msg = f"the API key is not for market {quoted(market.name)}"
        faults.append(Fault(Code.GENERAL, pointer, msg))
    return market


def _unknown(pointer: str, what: str, value: object) -> Fault:
    return Fault(Code.GENERAL, pointer, f"no {what} {quoted(value)}")
