"""Stock by item and warehouse, read page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, exists, func, or_, select
from sqlalchemy.dialects.postgresql import array

from shared.domain.codes import code_spellings
from shared.domain.stock_level import Edge, ItemStock, StockFilter, StockLevel, StockPage
from shared.persistence.core.database import autocommit
from shared.persistence.core.tables import items, order_lines, stock, warehouses

_ITEM = ("id", "sku", "ean", "upc", "product", "variant", "size", "brand", "active")
_TOLD = (*_ITEM, "back_ordered")


def find_stock(engine: Engine, wanted: StockFilter) -> StockPage | None:
    """Read a page of items with their stock, in one statement and so of one moment.

    None where there is no warehouse of the name that was wanted. Raises PersistenceError.
    """
    with autocommit(engine) as connection:
        warehouse_id = None
        if wanted.warehouse is not None:
            named = select(warehouses.c.id).where(warehouses.c.name == wanted.warehouse)
            warehouse_id = connection.execute(named).scalar()
            if warehouse_id is None:
                return None
        rows = connection.execute(_page(wanted, warehouse_id)).all()
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


def _page(wanted: StockFilter, warehouse_id: int | None) -> Select[Any]:
    backwards = wanted.edge is not None and wanted.edge.backwards
    found = select(*(items.c[name] for name in _ITEM)).limit(wanted.limit + 1)
    found = found.order_by(items.c.id.desc() if backwards else items.c.id)
    page = found.where(*_conditions(wanted, warehouse_id)).cte("page")
    waiting = (
        select(order_lines.c.item_id, func.sum(order_lines.c.back_ordered).label("units"))
        .where(order_lines.c.item_id.in_(select(page.c.id)), order_lines.c.back_ordered > 0)
        .group_by(order_lines.c.item_id)
        .subquery("waiting")
    )
    of_item = stock.c.item_id == page.c.id
    if warehouse_id is not None:
        of_item &= stock.c.warehouse_id == warehouse_id
    return (
        select(
            *page.columns,
            func.coalesce(waiting.c.units, 0).label("back_ordered"),
            warehouses.c.name.label("warehouse"),
            warehouses.c.threshold,
            stock.c.physical,
            stock.c.allocated,
            stock.c.modified_at,
        )
        .select_from(
            page.outerjoin(waiting, waiting.c.item_id == page.c.id)
            .outerjoin(stock, of_item)
            .outerjoin(warehouses, warehouses.c.id == stock.c.warehouse_id)
        )
        .order_by(page.c.id, stock.c.warehouse_id)
    )


def _conditions(wanted: StockFilter, warehouse_id: int | None) -> list[ColumnElement[bool]]:
    conditions = [_has_code(code) for code in (wanted.ean, wanted.upc) if code is not None]
    if wanted.sku is not None:
        conditions.append(items.c.sku == wanted.sku)
    if wanted.item_id is not None:
        conditions.append(items.c.id == wanted.item_id)
    if wanted.edge is not None:
        edge = wanted.edge
        conditions.append(items.c.id < edge.item_id if edge.backwards else items.c.id > edge.item_id)
    if wanted.modified_since is not None or warehouse_id is not None:
        of_item = select(1).where(stock.c.item_id == items.c.id)
        if warehouse_id is not None:
            of_item = of_item.where(stock.c.warehouse_id == warehouse_id)
        if wanted.modified_since is not None:
            # No index on modified_at: each reservation would have to write to it, and slices make many.
            of_item = of_item.where(stock.c.modified_at >= wanted.modified_since)
        conditions.append(exists(of_item.correlate(items)))
    if wanted.market_ids is not None:
        conditions.append(_sold_in(wanted.market_ids))
    return conditions


def _has_code(code: str) -> ColumnElement[bool]:
    """Whether an item has this code, or the other spelling of it, as EAN or as UPC: as orders find it."""
    spellings = sorted(code_spellings([code]))
    return or_(items.c.ean.in_(spellings), items.c.upc.in_(spellings))


def _sold_in(market_ids: Collection[int]) -> ColumnElement[bool]:
    theirs = array(sorted(market_ids), type_=items.c.market_ids.type.item_type)  # type: ignore[attr-defined]  # the column is an array
    return or_(items.c.market_ids.is_(None), items.c.market_ids.op("&&")(theirs))


def _item(rows: Sequence[Row[Any]]) -> ItemStock:
    levels = [
        StockLevel(row.warehouse, row.physical, row.allocated, row.modified_at, row.threshold)
        for row in rows
        if row.warehouse is not None
    ]
    return ItemStock(**{name: getattr(rows[0], name) for name in _TOLD}, levels=levels)
