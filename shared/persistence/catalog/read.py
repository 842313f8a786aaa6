"""The catalog as a slice needs it: the small tables whole, and what its lines and orders name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from sqlalchemy import Connection, Row, text

from shared.domain.catalog import (
    Account,
    AllocationRule,
    Campaign,
    CatalogIndex,
    DeliveryWindow,
    Item,
    Market,
    Pricelist,
    ShippingOption,
    SmallTables,
    SplitBy,
    index_catalog,
)
from shared.domain.codes import code_spellings
from shared.domain.currencies import rounded, unit
from shared.domain.order import Address
from shared.domain.vouchers import Voucher

_ITEMS = text(
    "SELECT id, sku, ean, upc, active, market_ids, version FROM items"
    " WHERE id = ANY(CAST(:ids AS bigint[])) OR sku = ANY(CAST(:skus AS text[]))"
    " OR ean = ANY(CAST(:codes AS text[])) OR upc = ANY(CAST(:codes AS text[]))"
)
_PRICES = text("SELECT item_id, pricelist_id, price FROM prices WHERE item_id = ANY(CAST(:ids AS bigint[]))")


_ACCOUNTS = text(
    "SELECT accounts.id, accounts.name, accounts.address,"
    " array_agg(buyers.id ORDER BY buyers.id) FILTER (WHERE buyers.id IS NOT NULL) AS buyer_ids,"
    " array_agg(buyers.name ORDER BY buyers.id) FILTER (WHERE buyers.id IS NOT NULL) AS buyer_names,"
    " min(buyers.id) FILTER (WHERE buyers.is_default) AS default_buyer_id"
    " FROM accounts LEFT JOIN buyers ON buyers.account_id = accounts.id"
    " WHERE accounts.id = ANY(CAST(:ids AS integer[])) GROUP BY accounts.id"
)


def read_catalog_index(connection: Connection) -> CatalogIndex:
    """The small tables of the catalog, with the version they had before they were read."""
    # Read first: a load that commits in between makes the version old, never the tables.
    version = connection.execute(text("SELECT version FROM catalog_state")).scalar_one()

    def rows(select: str) -> Iterator[Row[tuple[object, ...]]]:
        return iter(connection.execute(text(select)))

    tables = SmallTables(
        markets=[
            Market(r.id, r.name, frozenset(r.countries), r.pricelist_id, r.allocation_rule_id)
            for r in rows("SELECT id, name, countries, pricelist_id, allocation_rule_id FROM markets")
        ],
        pricelists=[
            Pricelist(r.id, r.name, r.currency) for r in rows("SELECT id, name, currency FROM pricelists")
        ],
        rules=[
            AllocationRule(r.id, r.name, tuple(r.warehouse_ids), SplitBy(r.split))
            for r in rows("SELECT id, name, warehouse_ids, split FROM allocation_rules")
        ],
        thresholds={
            r.id: r.threshold for r in rows("SELECT id, threshold FROM warehouses WHERE threshold > 0")
        },
        shipping=[
            ShippingOption(r.uri, r.name, frozenset(r.countries), r.is_default, _amounts(r.prices))
            for r in rows("SELECT uri, name, countries, is_default, prices FROM shipping_options")
        ],
        windows=[
            DeliveryWindow(r.name, r.preorder) for r in rows("SELECT name, preorder FROM delivery_windows")
        ],
        campaigns=[
            Campaign(r.pricelist_id, r.percent, r.starts_at, r.ends_at, frozenset(r.item_ids))
            for r in rows(
                "SELECT pricelist_id, percent, starts_at, ends_at, item_ids FROM campaigns"
                " WHERE ends_at IS NULL OR ends_at > now()"
            )
        ],
        vouchers=[
            Voucher(
                id=r.id,
                code=r.code,
                name=r.name or r.code,
                automatic=r.automatic,
                percent=r.percent,
                amounts=_amounts(r.amounts),
                minimums=_amounts(r.minimums),
                limited=r.uses is not None,
                active=r.active,
                starts_at=r.starts_at,
                ends_at=r.ends_at,
                market_ids=None if r.market_ids is None else frozenset(r.market_ids),
            )
            for r in rows(
                "SELECT id, code, name, automatic, percent, amounts, minimums, uses, active, starts_at,"
                " ends_at, market_ids FROM vouchers ORDER BY id"
            )
        ],
    )
    return index_catalog(version, tables)


def _amounts(by_currency: Mapping[str, str] | None) -> dict[str, Decimal]:
    """Amounts by currency. One that a version wrote which counted every currency in hundredths is rounded."""
    found = (by_currency or {}).items()
    return {currency: rounded(Decimal(amount), unit(currency)) for currency, amount in found}


def find_items(
    connection: Connection, ids: Collection[int], skus: Collection[str], codes: Collection[str]
) -> list[Item]:
    """The items that have one of these ids, SKUs or codes (EAN or UPC), with all their prices."""
    wanted = {"ids": list(ids), "skus": list(skus), "codes": list(code_spellings(codes))}
    rows = connection.execute(_ITEMS, wanted).all()
    prices: dict[int, dict[int, Decimal]] = {row.id: {} for row in rows}
    for item_id, pricelist_id, price in connection.execute(_PRICES, {"ids": list(prices)}):
        prices[item_id][pricelist_id] = price
    return [
        Item(
            id=row.id,
            sku=row.sku,
            ean=row.ean,
            upc=row.upc,
            active=row.active,
            market_ids=None if row.market_ids is None else frozenset(row.market_ids),
            prices=prices[row.id],
            version=row.version,
        )
        for row in rows
    ]


def find_accounts(connection: Connection, ids: Collection[int]) -> dict[int, Account]:
    """The accounts that have one of these ids, with their buyers, by id."""
    if not ids:
        return {}
    return {
        row.id: Account(
            id=row.id,
            name=row.name,
            address=None
            if row.address is None
            else Address(row.address["country"], row.address.get("email"), row.address),
            buyers=dict(zip(row.buyer_ids or (), row.buyer_names or (), strict=True)),
            default_buyer_id=row.default_buyer_id,
        )
        for row in connection.execute(_ACCOUNTS, {"ids": list(ids)})
    }
