"""What hangs on a catalog's items: prices and stock. The largest lists, and slices want the stock too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Table,
    and_,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from shared.domain.catalog_file import Count
from shared.persistence.catalog.merge import fill, rows_of, temporary_table
from shared.persistence.core.back_orders import lock_waiting, serve_waiting
from shared.persistence.core.tables import items, order_lines, prices, stock

_SKUS_TOLD: Final = 5
_WAITS: Final = (order_lines.c.back_ordered > 0, order_lines.c.item_id.is_not(None))


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


def load_stock(
    connection: Connection, rows: Iterable[Sequence[Any]], *, serve_all: bool = False
) -> StockLoad:
    """Set ``(item id, warehouse id, physical)``, but never below what is allocated by then.

    Stock of None is none: 0 where there is a row of it. What becomes free goes to the orders that wait for
    it; with ``serve_all`` all that wait are looked at, for what is there may suffice for them now.

    Stock of items that is right already is not even locked. That of the others is locked by (item,
    warehouse), ascending, as slices do, so that neither deadlocks the other; missing rows are inserted before
    that, in the same order, and the orders that wait are locked before all of it.
    """
    incoming = _incoming(connection, stock, ["item_id", "warehouse_id", "physical"])
    fill(connection, incoming, incoming.columns.keys(), rows)
    same = and_(stock.c.item_id == incoming.c.item_id, stock.c.warehouse_id == incoming.c.warehouse_id)
    connection.execute(delete(incoming).where(incoming.c.physical.is_(None), ~select(1).where(same).exists()))
    connection.execute(update(incoming).values(physical=0).where(incoming.c.physical.is_(None)))
    changing = _changing(connection, incoming, same, serve_all=serve_all)
    waiting = lock_waiting(connection, _waited_for(connection, changing))
    inserted = _insert_missing(connection, incoming, same)
    _lock(connection, changing)
    # The locks are held: what is allocated stays as it is from here on.
    kept, skus = _kept(connection, incoming, same)
    wanted = func.greatest(incoming.c.physical, stock.c.allocated)
    setting = (
        update(stock)
        .values(physical=wanted, modified_at=func.clock_timestamp())
        .where(same, stock.c.physical != wanted)
    )
    changed = rows_of(connection, setting)
    serve_waiting(connection, _waited_for(connection, changing), waiting)
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


def _changing(connection: Connection, incoming: Table, same: Any, *, serve_all: bool) -> Table:
    """The items whose stock changes, or may suffice for more."""
    changing = temporary_table(connection, "changing_items", [Column("item_id", BigInteger)])
    different = (
        select(incoming.c.item_id)
        .outerjoin(stock, same)
        .where(or_(stock.c.physical.is_(None), stock.c.physical != incoming.c.physical))
    )
    also = select(order_lines.c.item_id).where(*_WAITS)
    # A union has each of them once.
    found = different.union(also) if serve_all else different.distinct()
    connection.execute(insert(changing).from_select(["item_id"], found))
    connection.execute(text("ANALYZE changing_items"))
    return changing


def _waited_for(connection: Connection, changing: Table) -> list[int]:
    """Those of the items for which orders wait now."""
    found = select(order_lines.c.item_id.distinct()).where(
        *_WAITS, order_lines.c.item_id.in_(select(changing.c.item_id))
    )
    return list(connection.execute(found).scalars())


def _lock(connection: Connection, changing: Table) -> None:
    """Lock all that there is of the items, whatever the warehouse: so do orders."""
    of_them = (
        select(stock.c.item_id)
        .where(stock.c.item_id.in_(select(changing.c.item_id)))
        .order_by(stock.c.item_id, stock.c.warehouse_id)
        # NO KEY: an allocation's foreign key must not wait for it.
        .with_for_update(of=stock, key_share=True)
        .subquery()
    )
    # Counted on the server: nobody needs to see 200,000 ids.
    connection.execute(select(func.count()).select_from(of_them))


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
