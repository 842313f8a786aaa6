"""What hangs on a catalog's items: prices and stock. The largest lists, and slices want the stock too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.domain.catalog_file import Count
from shared.persistence.catalog.merge import fill, rows_of, temporary_table
from shared.persistence.core.tables import items, prices, stock

_SKUS_TOLD: Final = 5


@dataclass(frozen=True)
class StockLoad:
    """``kept`` rows were to go below what is allocated; ``kept_skus`` are the first few."""

    count: Count
    kept: int
    kept_skus: list[str]


def load_prices(connection: Connection, rows: Iterable[Sequence[Any]]) -> Count:
    """Upsert ``(item id, pricelist id, price)``; a price of None goes. Prices that are not named stay."""
    incoming = _incoming(connection, prices, ["item_id", "pricelist_id", "price"])
    fill(connection, incoming, incoming.columns.keys(), rows)
    same = and_(prices.c.item_id == incoming.c.item_id, prices.c.pricelist_id == incoming.c.pricelist_id)
    changing = update(prices).values(price=incoming.c.price).where(same, prices.c.price != incoming.c.price)
    changed = rows_of(connection, changing)
    changed += rows_of(connection, delete(prices).where(same, incoming.c.price.is_(None)))
    new = select(incoming).where(~select(1).where(same).exists(), incoming.c.price.is_not(None))
    inserted = rows_of(connection, insert(prices).from_select(incoming.columns.keys(), new))
    return Count(inserted, changed, _size(connection, incoming) - inserted - changed)


def load_stock(connection: Connection, rows: Iterable[Sequence[Any]]) -> StockLoad:
    """Set ``(item id, warehouse id, physical)``, but never below what is allocated by then.

    Stock of None is none: 0 where there is a row of it.

    Rows that are right already are not even locked. The others are locked by (item, warehouse), ascending, as
    slices do, so that neither deadlocks the other; missing rows are inserted before that, in the same order.
    """
    incoming = _incoming(connection, stock, ["item_id", "warehouse_id", "physical"])
    fill(connection, incoming, incoming.columns.keys(), rows)
    same = and_(stock.c.item_id == incoming.c.item_id, stock.c.warehouse_id == incoming.c.warehouse_id)
    connection.execute(delete(incoming).where(incoming.c.physical.is_(None), ~select(1).where(same).exists()))
    connection.execute(update(incoming).values(physical=0).where(incoming.c.physical.is_(None)))
    inserted = _insert_missing(connection, incoming, same)
    _lock_different(connection, incoming, same)
    # The locks are held: what is allocated stays as it is from here on.
    kept, skus = _kept(connection, incoming, same)
    wanted = func.greatest(incoming.c.physical, stock.c.allocated)
    changing = (
        update(stock)
        .values(physical=wanted, modified_at=func.clock_timestamp())
        .where(same, stock.c.physical != wanted)
    )
    changed = rows_of(connection, changing)
    return StockLoad(Count(inserted, changed, _size(connection, incoming) - inserted - changed), kept, skus)


def _incoming(connection: Connection, table: Table, names: Sequence[str]) -> Table:
    columns = [Column(name, table.c[name].type) for name in names]
    return temporary_table(connection, f"incoming_{table.name}", columns)


def _size(connection: Connection, incoming: Table) -> int:
    return connection.execute(select(func.count()).select_from(incoming)).scalar_one()


def _insert_missing(connection: Connection, incoming: Table, same: Any) -> int:
    new = (
        select(*incoming.columns, func.clock_timestamp())
        .where(~select(1).where(same).exists())
        .order_by(incoming.c.item_id, incoming.c.warehouse_id)
    )
    inserting = insert(stock).from_select([*incoming.columns.keys(), "modified_at"], new)
    # Somebody else may insert the same row meanwhile: then it is there now, and is changed like the others.
    return rows_of(connection, inserting.on_conflict_do_nothing())


def _lock_different(connection: Connection, incoming: Table, same: Any) -> None:
    different = (
        select(stock.c.item_id)
        .join(incoming, same)
        .where(stock.c.physical != incoming.c.physical)
        .order_by(stock.c.item_id, stock.c.warehouse_id)
        # NO KEY: an allocation's foreign key must not wait for it.
        .with_for_update(of=stock, key_share=True)
        .subquery()
    )
    # Counted on the server: nobody needs to see 200,000 ids.
    connection.execute(select(func.count()).select_from(different))


def _kept(connection: Connection, incoming: Table, same: Any) -> tuple[int, list[str]]:
    short = (
        select(items.c.sku, stock.c.item_id, stock.c.warehouse_id)
        .join_from(stock, incoming, same)
        .join(items, items.c.id == stock.c.item_id)
        .where(incoming.c.physical < stock.c.allocated)
    )
    count = connection.execute(select(func.count()).select_from(short.subquery())).scalar_one()
    first = short.order_by(stock.c.item_id, stock.c.warehouse_id).limit(_SKUS_TOLD)
    return count, list(dict.fromkeys(connection.execute(first).scalars()))
