"""Stock by item and warehouse, read page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, exists, or_, select
from sqlalchemy.dialects.postgresql import array

from shared.domain.stock_level import Edge, ItemStock, StockFilter, StockLevel, StockPage
from shared.persistence.errors import translated
from shared.persistence.tables import items, stock, warehouses

_ITEM = ("id", "sku", "ean", "upc", "product", "variant", "size", "brand", "active")


def find_stock(engine: Engine, wanted: StockFilter) -> StockPage:
    """Read a page of items with their stock, in one statement and so of one moment.

    Raises PersistenceError.
    """
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.execute(_page(wanted)).all()
    found = [_item(list(group)) for _, group in groupby(rows, key=lambda row: row.id)]
    backwards = wanted.edge is not None and wanted.edge.backwards
    # One more than was asked for tells that there is another page on that side.
    more = len(found) > wanted.limit
    if more:
        found = found[1:] if backwards else found[:-1]
    before, after = (more, True) if backwards else (wanted.edge is not None, more)
    first, last = _ends(found, wanted.edge)
    return StockPage(found, Edge(first, backwards=True) if before else None, Edge(last) if after else None)


def _ends(found: Sequence[ItemStock], edge: Edge | None) -> tuple[int, int]:
    if found or edge is None:
        return (found[0].id, found[-1].id) if found else (0, 0)
    # Nothing beyond the edge: what is on this side of it begins with the edge's own item.
    return edge.item_id + 1, edge.item_id - 1


def _page(wanted: StockFilter) -> Select[Any]:
    backwards = wanted.edge is not None and wanted.edge.backwards
    found = select(*(items.c[name] for name in _ITEM)).limit(wanted.limit + 1)
    found = found.order_by(items.c.id.desc() if backwards else items.c.id)
    page = found.where(*_conditions(wanted)).cte("page")
    return (
        select(
            *page.columns,
            warehouses.c.name.label("warehouse"),
            stock.c.physical,
            stock.c.allocated,
            stock.c.modified_at,
        )
        .select_from(
            page.outerjoin(stock, stock.c.item_id == page.c.id).outerjoin(
                warehouses, warehouses.c.id == stock.c.warehouse_id
            )
        )
        .order_by(page.c.id, stock.c.warehouse_id)
    )


def _conditions(wanted: StockFilter) -> list[ColumnElement[bool]]:
    names = {"sku": wanted.sku, "ean": wanted.ean, "upc": wanted.upc}
    conditions = [items.c[column] == name for column, name in names.items() if name is not None]
    if wanted.edge is not None:
        edge = wanted.edge
        conditions.append(items.c.id < edge.item_id if edge.backwards else items.c.id > edge.item_id)
    if wanted.modified_since is not None:
        # No index on modified_at: each reservation would have to write to it, and slices make many.
        changed = select(1).where(stock.c.item_id == items.c.id, stock.c.modified_at >= wanted.modified_since)
        conditions.append(exists(changed.correlate(items)))
    if wanted.market_ids is not None:
        conditions.append(_sold_in(wanted.market_ids))
    return conditions


def _sold_in(market_ids: Collection[int]) -> ColumnElement[bool]:
    theirs = array(sorted(market_ids), type_=items.c.market_ids.type.item_type)  # type: ignore[attr-defined]
    return or_(items.c.market_ids.is_(None), items.c.market_ids.op("&&")(theirs))


def _item(rows: Sequence[Row[Any]]) -> ItemStock:
    levels = [
        StockLevel(row.warehouse, row.physical, row.allocated, row.modified_at)
        for row in rows
        if row.warehouse is not None
    ]
    return ItemStock(**{name: getattr(rows[0], name) for name in _ITEM}, levels=levels)
