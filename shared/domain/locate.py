"""The sales channel of an order: market, pricelist and allocation rule; ids win over names over defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime

from shared.domain.catalog import (
    Account,
    AllocationRule,
    Assortment,
    CatalogIndex,
    Customers,
    Market,
    Pricelist,
)
from shared.domain.order import OrderNames
from shared.domain.outcome import Fault, Reason, quoted
from shared.domain.reasons import (
    ALLOCATION_RULE_UNKNOWN,
    COUNTRY_WITHOUT_MARKET,
    CURRENCY_MISMATCH,
    MARKET_NOT_ALLOWED,
    MARKET_UNKNOWN,
    PRICELIST_UNKNOWN,
)
from shared.domain.values import value

_NAMES_TOLD = 10


@value(frozen=True, slots=True)
class Snapshot:
    """All that a slice's orders are looked up in."""

    catalog: CatalogIndex
    assortment: Assortment
    moment: datetime
    """When it is decided: which campaigns run."""
    customers: Customers = field(default_factory=Customers)
    accounts: Mapping[int, Account] = field(default_factory=dict)
    origins: Mapping[int, int] = field(default_factory=dict)
    """Of the orders that others are made from, those that exist: market id by number."""
    taken_numbers: frozenset[int] = frozenset()
    market_ids: frozenset[int] | None = None
    """The markets that the API key is limited to; None: every one."""
    customer_markets: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Of the customers that limited keys name: the ids of the markets that they have ordered in."""
    account_markets: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """The same of accounts."""

    def seen_by(self, market_ids: frozenset[int] | None) -> Snapshot:
        """What a key that is limited to these markets knows of it; to such a key nothing else is there."""
        if market_ids is None:
            return self
        ordered = self.customer_markets
        known = {i for i in self.customers.known_ids if not market_ids.isdisjoint(ordered.get(i, ()))}
        return replace(
            self,
            market_ids=market_ids,
            customers=replace(self.customers, known_ids=frozenset(known)),
            accounts={i: one for i, one in self.accounts.items() if self._has(market_ids, one)},
            origins={number: market for number, market in self.origins.items() if market in market_ids},
        )

    def _has(self, market_ids: frozenset[int], account: Account) -> bool:
        """Whether these markets have an account: by its address's country, or by what it has ordered."""
        if not market_ids.isdisjoint(self.account_markets.get(account.id, ())):
            return True
        markets = (self.catalog.markets.get(market_id) for market_id in market_ids)
        country = account.address.country if account.address is not None else None
        return any(market is not None and country in market.countries for market in markets)


@value(frozen=True, slots=True)
class SalesChannel:
    """Where an order is sold, at which prices, and from which warehouses."""

    market: Market
    pricelist: Pricelist
    rule: AllocationRule


def locate(
    names: OrderNames, country: str | None, snapshot: Snapshot
) -> tuple[SalesChannel | None, list[Fault]]:
    """Market, pricelist and allocation rule: an id wins over a name, a name over the default."""
    catalog = snapshot.catalog
    faults: list[Fault] = []
    market = _market(names, country, snapshot, faults)
    pricelist: Pricelist | None = None
    if names.pricelist_id is not None:
        pricelist = catalog.pricelists.get(names.pricelist_id)
        if pricelist is None:
            faults.append(_unknown(PRICELIST_UNKNOWN, "/pricelistId", "pricelist has id", names.pricelist_id))
    elif names.pricelist is not None:
        pricelist = catalog.pricelist_names.get(names.pricelist)
        if pricelist is None:
            faults.append(_unknown(PRICELIST_UNKNOWN, "/pricelist", "pricelist is named", names.pricelist))
    elif market is not None:
        pricelist = catalog.pricelists[market.pricelist_id]
    rule: AllocationRule | None = None
    if names.warehouse_group is not None:
        rule = catalog.rule_names.get(names.warehouse_group)
        if rule is None:
            faults.append(
                _unknown(
                    ALLOCATION_RULE_UNKNOWN,
                    "/warehouseGroup",
                    "allocation rule is named",
                    names.warehouse_group,
                )
            )
    elif market is not None:
        rule = catalog.rules[market.allocation_rule_id]
    if market is None or pricelist is None or rule is None:
        return None, faults
    return SalesChannel(market, pricelist, rule), faults


def counted_in(names: OrderNames, channel: SalesChannel | None) -> str | None:
    """The currency that an order's amounts are meant in: the one that it says, else its pricelist's."""
    return names.currency or (channel.pricelist.currency if channel is not None else None)


def currency_faults(names: OrderNames, pricelist: Pricelist, catalog: CatalogIndex) -> list[Fault]:
    """The fault of an order that counts in another currency than the pricelist it would be sold by."""
    if names.currency in (None, pricelist.currency):
        return []
    fitting = sorted(one.name for one in catalog.pricelists.values() if one.currency == names.currency)
    listed = ", ".join(quoted(name) for name in fitting[:_NAMES_TOLD])
    way_out = (
        f"name one that is in {names.currency} ({listed})" if fitting else f"none is in {names.currency}"
    )
    msg = f"pricelist {quoted(pricelist.name)} is in {pricelist.currency}, not in {names.currency}; {way_out}"
    told = {"currency": names.currency, "pricelist": pricelist.name, "pricelists": fitting[:_NAMES_TOLD]}
    return [Fault(CURRENCY_MISMATCH, "/currency", msg, told)]


def _market(names: OrderNames, country: str | None, snapshot: Snapshot, faults: list[Fault]) -> Market | None:
    catalog = snapshot.catalog
    market: Market | None = None
    pointer = "/marketId" if names.market_id is not None else "/market"
    if names.market_id is not None:
        market = catalog.markets.get(names.market_id)
        if market is None:
            faults.append(_unknown(MARKET_UNKNOWN, pointer, "market has id", names.market_id))
    elif names.market is not None:
        market = catalog.market_names.get(names.market)
        if market is None:
            faults.append(_unknown(MARKET_UNKNOWN, pointer, "market is named", names.market))
    elif country is not None:
        market = catalog.country_markets.get(country)
        if market is None:
            msg = f"no market has the delivery country {quoted(country)}; name one with marketId or market"
            faults.append(Fault(COUNTRY_WITHOUT_MARKET, pointer, msg, {"country": country}))
    if market is not None and snapshot.market_ids is not None and market.id not in snapshot.market_ids:
        msg = f"the API key is not for market {quoted(market.name)}"
        faults.append(Fault(MARKET_NOT_ALLOWED, pointer, msg, {"market": market.name}))
    return market


def _unknown(reason: Reason, pointer: str, what: str, value: object) -> Fault:
    return Fault(reason, pointer, f"no {what} {quoted(value)}")
