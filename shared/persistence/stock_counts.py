"""Physical stock set in bulk, racing with slices in the house's lock order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, text

from shared.domain.allocation import Place
from shared.domain.stock_level import Raised, Shelved, StockCount, StockSet, UnknownWarehouses, shelve
from shared.persistence.database import transaction

_WAREHOUSES = text(
    "SELECT id, name, id = (SELECT min(id) FROM warehouses) AS first FROM warehouses"
    " WHERE name = ANY(CAST(:names AS text[])) OR id = (SELECT min(id) FROM warehouses)"
)
# EAN, then UPC, then SKU: what a scanner reads comes before what people made up.
_ITEMS = text(
    "SELECT DISTINCT ON (product) product, id FROM ("
    " SELECT ean AS product, id, market_ids, 1 AS choice FROM items"
    " WHERE ean = ANY(CAST(:products AS text[]))"
    " UNION ALL"
    " SELECT upc, id, market_ids, 2 FROM items WHERE upc = ANY(CAST(:products AS text[]))"
    " UNION ALL"
    " SELECT sku, id, market_ids, 3 FROM items WHERE sku = ANY(CAST(:products AS text[]))"
    ") AS named"
    " WHERE market_ids IS NULL OR CAST(:markets AS integer[]) IS NULL"
    " OR market_ids && CAST(:markets AS integer[])"
    " ORDER BY product, choice"
)
# In the order of the locks, for an inserted row is one. Somebody else may insert the same meanwhile: then it
# is there, and is locked and set like the others. At 0, so that setting it is one rule for all.
_INSERT_MISSING = text(
    "INSERT INTO stock (item_id, warehouse_id, physical)"
    " SELECT item_id, warehouse_id, 0"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[])) AS place(item_id, warehouse_id)"
    " WHERE NOT EXISTS (SELECT FROM stock WHERE stock.item_id = place.item_id"
    " AND stock.warehouse_id = place.warehouse_id)"
    " ORDER BY item_id, warehouse_id ON CONFLICT DO NOTHING RETURNING item_id, warehouse_id"
)
# NO KEY: an allocation's foreign key must not wait for it.
_LOCK = text(
    "SELECT stock.item_id, stock.warehouse_id, physical, allocated FROM stock"
    " JOIN unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[])) AS place(item_id, warehouse_id)"
    " ON stock.item_id = place.item_id AND stock.warehouse_id = place.warehouse_id"
    " ORDER BY stock.item_id, stock.warehouse_id FOR NO KEY UPDATE OF stock"
)
_SET = text(
    "UPDATE stock SET physical = counted.physical, modified_at = clock_timestamp()"
    " FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:physical AS integer[]))"
    " AS counted(item_id, warehouse_id, physical)"
    " WHERE stock.item_id = counted.item_id AND stock.warehouse_id = counted.warehouse_id"
)


def set_stock(
    engine: Engine, counts: Sequence[StockCount], market_ids: frozenset[int] | None
) -> StockSet | UnknownWarehouses:
    """Set ``physical`` to what was counted, but never below what is allocated by then.

    One transaction, and a fixed number of statements. Items that are not sold in ``market_ids`` (None: every
    market) are not found. Raises PersistenceError; doing the same again then is safe.
    """
    with transaction(engine) as connection:
        known = _find_warehouses(connection, counts)
        if isinstance(known, UnknownWarehouses):
            return known
        wanted = {
            "products": sorted({count.product for count in counts}),
            "markets": None if market_ids is None else sorted(market_ids),
        }
        found = dict(connection.execute(_ITEMS, wanted).tuples().all())
        return _set(connection, shelve(counts, found, known))


def _find_warehouses(
    connection: Connection, counts: Sequence[StockCount]
) -> dict[str | None, int] | UnknownWarehouses:
    """Ids by name; that of the first one under None."""
    names = list(dict.fromkeys(count.warehouse for count in counts))
    ids: dict[str | None, int] = {}
    for row in connection.execute(_WAREHOUSES, {"names": [name for name in names if name is not None]}):
        ids[row.name] = row.id
        if row.first:
            ids[None] = row.id
    if all(name in ids for name in names):
        return ids
    return UnknownWarehouses([name for name in names if name is not None and name not in ids])


def _set(connection: Connection, shelved: Shelved) -> StockSet:
    places = sorted(shelved.by_place)
    created = set(connection.execute(_INSERT_MISSING, _columns(places)).tuples())
    raised = []
    changes: dict[Place, int] = {}
    for item_id, warehouse_id, physical, allocated in connection.execute(_LOCK, _columns(places)):
        place = (item_id, warehouse_id)
        count = shelved.by_place[place]
        if count.quantity < allocated:
            raised.append(Raised(count, allocated))
        wanted = max(count.quantity, allocated)
        if wanted != physical:
            changes[place] = wanted
    if changes:
        connection.execute(_SET, {**_columns(list(changes)), "physical": list(changes.values())})
    changed = len(created | changes.keys())
    return StockSet(
        changed=changed,
        unchanged=len(places) - changed,
        not_found=shelved.not_found,
        contradictory=shelved.contradictory,
        raised=raised,
    )


def _columns(places: Sequence[Place]) -> Mapping[str, list[int]]:
    return {"items": [item for item, _ in places], "warehouses": [warehouse for _, warehouse in places]}
