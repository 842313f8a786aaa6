"""The catalog as a slice needs it: the small tables whole, and the items that its lines name."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from sqlalchemy import Connection, text

from shared.domain.catalog import (
    AllocationRule,
    Item,
    Market,
    Pricelist,
    Reference,
    Split,
    index_reference,
)

_ITEMS = text(
    "SELECT id, sku, ean, active, market_ids FROM items"
    " WHERE id = ANY(CAST(:ids AS bigint[])) OR sku = ANY(CAST(:skus AS text[]))"
    " OR ean = ANY(CAST(:eans AS text[]))"
)
_PRICES = text("SELECT item_id, pricelist_id, price FROM prices WHERE item_id = ANY(CAST(:ids AS bigint[]))")


def read_reference(connection: Connection) -> Reference:
    """The small tables of the catalog, with the version they had before they were read."""
    # Read first: a load that commits in between makes the version old, never the tables.
    version = connection.execute(text("SELECT version FROM catalog_state")).scalar_one()
    rules = connection.execute(text("SELECT id, name, warehouse_ids, split FROM allocation_rules"))
    pricelists = connection.execute(text("SELECT id, name, currency FROM pricelists"))
    markets = connection.execute(
        text("SELECT id, name, countries, pricelist_id, allocation_rule_id FROM markets")
    )
    thresholds = connection.execute(text("SELECT id, threshold FROM warehouses WHERE threshold > 0"))
    return index_reference(
        version,
        [Market(r.id, r.name, frozenset(r.countries), r.pricelist_id, r.allocation_rule_id) for r in markets],
        [Pricelist(r.id, r.name, r.currency) for r in pricelists],
        [AllocationRule(r.id, r.name, tuple(r.warehouse_ids), Split(r.split)) for r in rules],
        {r.id: r.threshold for r in thresholds},
    )


def find_items(
    connection: Connection, ids: Collection[int], skus: Collection[str], eans: Collection[str]
) -> list[Item]:
    """The items that have one of these ids, SKUs or EANs, with all their prices."""
    wanted = {"ids": list(ids), "skus": list(skus), "eans": list(eans)}
    rows = connection.execute(_ITEMS, wanted).all()
    prices: dict[int, dict[int, Decimal]] = {row.id: {} for row in rows}
    for item_id, pricelist_id, price in connection.execute(_PRICES, {"ids": list(prices)}):
        prices[item_id][pricelist_id] = price
    return [
        Item(
            id=row.id,
            sku=row.sku,
            ean=row.ean,
            active=row.active,
            market_ids=None if row.market_ids is None else frozenset(row.market_ids),
            prices=prices[row.id],
        )
        for row in rows
    ]
