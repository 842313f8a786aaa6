"""The tables as ORM classes, for the peers that use one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, registry

from bench.peers.rows import line_columns, order_columns
from shared.persistence.core.tables import (
    allocations,
    customers,
    items,
    order_lines,
    order_number_sequence,
    orders,
    stock,
)

mapping = registry()


class Customer: ...  # noqa: D101 - see the table


class Order: ...  # noqa: D101 - the table's name says it


class OrderLine: ...  # noqa: D101 - the table's name says it


class Allocation: ...  # noqa: D101 - the table's name says it


class Stock: ...  # noqa: D101 - the table's name says it


for _class, _table in (
    (Customer, customers),
    (Order, orders),
    (OrderLine, order_lines),
    (Allocation, allocations),
    (Stock, stock),
):
    mapping.map_imperatively(_class, _table)


class OutOfStockError(Exception):
    """A line wants more than there is."""


def create_order(session: Session, order: dict[str, Any]) -> int:
    """Create one order with its customer, lines and stock in the session's transaction; gives its number."""
    number = session.scalar(order_number_sequence.next_value())
    customer = _made(Customer, email=order["invoiceAddress"]["email"])
    session.add(customer)
    session.flush()
    session.add(_made(Order, **order_columns(order, int(number or 0), customer.id)))
    session.flush()
    skus = [line["sku"] for line in order["products"]]
    ids = dict(session.execute(select(items.c.sku, items.c.id).where(items.c.sku.in_(skus))).tuples().all())
    lines = line_columns(order, int(number or 0), ids)
    session.add_all([_made(OrderLine, **line) for line in lines])
    session.flush()
    # In one order, so that two orders do not lock two items crosswise.
    for line in sorted(lines, key=lambda one: one["item_id"]):
        taken = session.execute(
            update(Stock)
            .where(
                stock.c.item_id == line["item_id"],
                stock.c.warehouse_id == 1,
                stock.c.physical - stock.c.allocated >= line["quantity"],
            )
            .values(allocated=stock.c.allocated + line["quantity"])
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise OutOfStockError(line["sku"])
        session.add(
            _made(
                Allocation,
                order_number=number,
                line=line["line"],
                item_id=line["item_id"],
                warehouse_id=1,
                quantity=line["quantity"],
            )
        )
    return int(number or 0)


def _made(kind: type[Any], **values: Any) -> Any:
    made = kind()
    for name, value in values.items():
        setattr(made, name, value)
    return made
