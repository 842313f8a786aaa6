"""Physical stock set in bulk, racing with slices in the house's lock order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Engine, text

from shared.domain.allocation import StockKey
from shared.domain.codes import code_spellings, same_code
from shared.domain.order import MOST_QUANTITY
from shared.domain.outcome import Fault
from shared.domain.stock_count import (
    Raised,
    ResolvedCounts,
    StockCount,
    StockSet,
    overflow_faults,
    physical_after,
    resolve_counts,
)
from shared.persistence.core.back_orders import lock_waiting, serve_waiting
from shared.persistence.core.database import transaction

_WAREHOUSES = text(
    "SELECT id, name, id = (SELECT min(id) FROM warehouses) AS first FROM warehouses"
    " WHERE name = ANY(CAST(:names AS text[])) OR id = (SELECT min(id) FROM warehouses)"
)
# All that a name may mean: which of two items was counted is nothing to guess at.
_ITEMS = text(
    "SELECT id, sku, ean, upc FROM items WHERE id IN ("
    " SELECT id FROM items WHERE ean = ANY(CAST(:codes AS text[]))"
    " UNION SELECT id FROM items WHERE upc = ANY(CAST(:codes AS text[]))"
    " UNION SELECT id FROM items WHERE sku = ANY(CAST(:skus AS text[])))"
    " AND (market_ids IS NULL OR CAST(:markets AS integer[]) IS NULL"
    " OR market_ids && CAST(:markets AS integer[]))"
)
# In the order of the locks, for an inserted row is one. Somebody else may insert the same meanwhile: then it
# is there, and is locked and set like the others. At 0, so that setting it is one rule for all.
_INSERT_MISSING = text(
    "INSERT INTO stock (item_id, warehouse_id, physical)"
    " SELECT item_id, warehouse_id, 0"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[])) AS wanted(item_id, warehouse_id)"
    " WHERE NOT EXISTS (SELECT FROM stock WHERE stock.item_id = wanted.item_id"
    " AND stock.warehouse_id = wanted.warehouse_id)"
    " ORDER BY item_id, warehouse_id ON CONFLICT DO NOTHING RETURNING item_id, warehouse_id"
)
# All that there is of the items, as orders lock it: what waits for one may take it from several warehouses.
# NO KEY: an allocation's foreign key must not wait for it.
_LOCK = text(
    "SELECT item_id, warehouse_id, physical, allocated FROM stock"
    " WHERE item_id = ANY(CAST(:items AS bigint[]))"
    " ORDER BY item_id, warehouse_id FOR NO KEY UPDATE"
)
_SET = text(
    "UPDATE stock SET physical = counted.physical, modified_at = clock_timestamp()"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:physical AS integer[]))"
    " AS counted(item_id, warehouse_id, physical)"
    " WHERE stock.item_id = counted.item_id AND stock.warehouse_id = counted.warehouse_id"
)


def set_stock(engine: Engine, counts: Sequence[StockCount], market_ids: frozenset[int] | None) -> StockSet:
    """Set ``physical`` to what was counted, or change it, but never below what is allocated by then.

    What becomes free goes to the orders that wait for it. One transaction, and a fixed number of statements.
    Items that are not sold in ``market_ids`` (None: every market) are not found. Raises PersistenceError, and
    only CommitUnknownError where it may have been done.
    """
    with transaction(engine) as connection:
        warehouses = _find_warehouses(connection, counts)
        named = _find_items(connection, {count.product for count in counts}, market_ids)
        resolved = resolve_counts(counts, named, warehouses)
        items = {item_id for item_id, _ in resolved.by_stock_key}
        waiting = lock_waiting(connection, items)
        done = _set(connection, resolved)
        serve_waiting(connection, items, waiting)
        return done


def _find_warehouses(connection: Connection, counts: Sequence[StockCount]) -> dict[str | None, int]:
    """Ids by name; that of the first one under None."""
    names = {count.warehouse for count in counts if count.warehouse is not None}
    ids: dict[str | None, int] = {}
    for row in connection.execute(_WAREHOUSES, {"names": sorted(names)}):
        ids[row.name] = row.id
        if row.first:
            ids[None] = row.id
    return ids


def _find_items(
    connection: Connection, products: Collection[str], market_ids: frozenset[int] | None
) -> dict[str, dict[int, str]]:
    """The items that each of these names may mean: SKUs by id. A UPC and the EAN that it is are one code."""
    wanted = {
        "codes": sorted(code_spellings(products)),
        "skus": sorted(products),
        "markets": None if market_ids is None else sorted(market_ids),
    }
    by_code: defaultdict[str, dict[int, str]] = defaultdict(dict)
    by_sku: dict[str, dict[int, str]] = {}
    for row in connection.execute(_ITEMS, wanted):
        by_sku[row.sku] = {row.id: row.sku}
        for code in (row.ean, row.upc):
            if code is not None:
                by_code[same_code(code)][row.id] = row.sku
    return {product: by_code.get(same_code(product), {}) | by_sku.get(product, {}) for product in products}


def _set(connection: Connection, resolved: ResolvedCounts) -> StockSet:
    stock_keys = sorted(resolved.by_stock_key)
    created = set(connection.execute(_INSERT_MISSING, _columns(stock_keys)).tuples())
    raised: list[Raised] = []
    beyond: list[Fault] = []
    changes: dict[StockKey, int] = {}
    items = sorted({item_id for item_id, _ in stock_keys})
    for item_id, warehouse_id, physical, allocated in connection.execute(_LOCK, {"items": items}):
        stock_key = (item_id, warehouse_id)
        counts = resolved.by_stock_key.get(stock_key)
        if counts is None:
            continue
        wanted = physical_after(counts, physical)
        if wanted > MOST_QUANTITY:
            beyond.extend(overflow_faults(counts, physical))
        elif wanted < allocated:
            raised.extend(Raised(count, allocated) for count in counts)
        wanted = max(wanted, allocated) if wanted <= MOST_QUANTITY else physical
        if wanted != physical:
            changes[stock_key] = wanted
    if changes:
        connection.execute(_SET, {**_columns(list(changes)), "physical": list(changes.values())})
    changed = len(created | changes.keys())
    return StockSet(
        changed=changed,
        unchanged=len(stock_keys) - changed,
        faults=[*resolved.faults, *beyond],
        raised=sorted(raised, key=lambda one: one.count.at),
    )


def _columns(stock_keys: Sequence[StockKey]) -> Mapping[str, list[int]]:
    return {
        "items": [item for item, _ in stock_keys],
        "warehouses": [warehouse for _, warehouse in stock_keys],
    }
