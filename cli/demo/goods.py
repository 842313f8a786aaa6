"""Goods of the demonstration: what it orders, found in the sample catalog; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLENTY = 10_000
_FEW = 20


@dataclass(frozen=True)
class Goods:
    """SKUs by what there is of them; ``countries`` are those that the markets deliver to."""

    # Sold in every market, with enough of each in every warehouse.
    plenty: list[str]
    # More than all warehouses have of anything.
    too_many: int
    # The item of which ``scarce_market`` has just ``scarce_units``.
    scarce: str
    scarce_market: str
    scarce_units: int
    # No longer sold.
    retired: str
    countries: frozenset[str]


def read_goods(catalog: Mapping[str, Any]) -> Goods:
    """Find the goods in a catalog file that has some of each kind."""
    market = catalog["markets"][0]
    stocks = {item["sku"]: item.get("stock", {}) for item in catalog["items"]}
    everywhere = [item["sku"] for item in catalog["items"] if _is_sold_everywhere(item, catalog)]
    free = {sku: _free_units(stocks[sku], market, catalog) for sku in everywhere}
    scarce = next(sku for sku in everywhere if 0 < free[sku] <= _FEW)
    return Goods(
        plenty=[sku for sku in everywhere if _is_plenty(stocks[sku], catalog)],
        too_many=max(sum(stock.values()) for stock in stocks.values()) + 1,
        scarce=scarce,
        scarce_market=market["name"],
        scarce_units=free[scarce],
        retired=next(item["sku"] for item in catalog["items"] if not item.get("active", True)),
        countries=frozenset(country for each in catalog["markets"] for country in each["countries"]),
    )


def _is_sold_everywhere(item: Mapping[str, Any], catalog: Mapping[str, Any]) -> bool:
    pricelists = {market["pricelist"] for market in catalog["markets"]}
    return item.get("active", True) and "markets" not in item and pricelists <= set(item.get("prices", {}))


def _is_plenty(stock: Mapping[str, int], catalog: Mapping[str, Any]) -> bool:
    return all(stock.get(warehouse["name"], 0) >= _PLENTY for warehouse in catalog["warehouses"])


def _free_units(stock: Mapping[str, int], market: Mapping[str, Any], catalog: Mapping[str, Any]) -> int:
    """How many units a market can sell: those of its rule's warehouses, less what each keeps back."""
    rule = next(rule for rule in catalog["allocationRules"] if rule["name"] == market["allocationRule"])
    kept = {warehouse["name"]: warehouse.get("threshold", 0) for warehouse in catalog["warehouses"]}
    return sum(max(stock.get(name, 0) - kept[name], 0) for name in rule["warehouses"])
