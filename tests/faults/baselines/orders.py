"""How a baseline creates one order: one transaction, a conditional UPDATE for each line's stock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from sqlalchemy import Connection, Engine, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from shared.persistence.core.tables import (
    allocations,
    customers,
    items,
    order_lines,
    order_number_sequence,
    orders,
    prices,
    stock,
    vouchers,
)

ONE_PER_KEY = "orders_one_per_key"
_WAREHOUSES = (1, 2)
_FIND = select(orders.c.number).where(
    orders.c.job_id == bindparam("job"), orders.c.position == bindparam("position")
)


class Address(Schema):
    class Meta:
        unknown = EXCLUDE

    country = fields.String(required=True, validate=validate.Length(equal=2))
    email = fields.Email(required=True)


class Line(Schema):
    class Meta:
        unknown = EXCLUDE

    sku = fields.String(required=True)
    qty = fields.Integer(required=True, validate=validate.Range(min=1))


class Order(Schema):
    class Meta:
        unknown = EXCLUDE

    address = fields.Nested(Address, required=True)
    products = fields.List(fields.Nested(Line), required=True)
    orderNumber = fields.Integer(validate=validate.Range(min=1))
    voucherCodes = fields.List(fields.String())
    createOnly = fields.Boolean(load_default=False)


class RefusedError(Exception):
    """The order cannot be created; its transaction is rolled back."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(msg)
        self.code = code


def create_order(
    engine: Engine, job_id: str, position: int, key: str, sent: dict[str, Any]
) -> dict[str, Any]:
    """Create the order and give its outcome.

    Where the database has a unique key on (job, position), an order that is there already is its own outcome.
    """
    try:
        order = Order().load(sent)
        with engine.begin() as connection:
            return _create(connection, UUID(job_id), position, key, order)
    except ValidationError as error:
        return _no(-7, json.dumps(error.messages))
    except RefusedError as refused:
        return _no(refused.code, str(refused))
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if name == ONE_PER_KEY:
            return _created(_there(engine, UUID(job_id), position), order)
        if name == "orders_pkey":
            return _no(-5, f"order {order.get('orderNumber')} exists")
        raise


def _there(engine: Engine, job_id: UUID, position: int) -> int:
    with engine.connect() as connection:
        return int(connection.execute(_FIND, {"job": job_id, "position": position}).scalar_one())


def _no(code: int, msg: str) -> dict[str, Any]:
    return {"status": "no", "code": code, "msg": msg}


def _created(number: int, order: dict[str, Any]) -> dict[str, Any]:
    if order["createOnly"]:
        return {"status": "ok", "order": number}
    return {"status": "ok", "orders": [number]}


def _create(
    connection: Connection, job_id: UUID, position: int, key: str, order: dict[str, Any]
) -> dict[str, Any]:
    if not order["products"]:
        raise RefusedError(-3, "the order has no lines")
    known = _items(connection, [line["sku"] for line in order["products"]])
    total = sum((known[line["sku"]][1] * line["qty"] for line in order["products"]), Decimal(0))
    number = order.get("orderNumber") or connection.execute(order_number_sequence.next_value()).scalar_one()
    email = order["address"]["email"]
    customer = connection.execute(insert(customers).returning(customers.c.id), {"email": email}).scalar_one()
    now = datetime.now(UTC)
    row = {
        "number": number,
        "state": "prepared" if order["createOnly"] else "created",
        "job_id": job_id,
        "position": position,
        "batch_key": json.dumps(key),
        "api_key_id": 1,
        "part": 0,
        "first_number": number,
        "customer_id": customer,
        "market_id": 1,
        "pricelist_id": 1,
        "currency": "EUR",
        "allocation_rule_id": 1,
        "invoice_address": order["address"],
        "delivery_address": order["address"],
        "lines_total": total,
        "shipping_value": Decimal(0),
        "voucher_value": _voucher(connection, order, total),
        "adjust_stock": True,
        "force_create": False,
        "internal_order": False,
        "order_date": now,
        "created_at": now,
    }
    connection.execute(insert(orders), {**row, "grand_total": total - row["voucher_value"]})
    connection.execute(
        insert(order_lines),
        [
            {
                "order_number": number,
                "line": at,
                "item_id": known[line["sku"]][0],
                "sku": line["sku"],
                "quantity": line["qty"],
                "unit_price": known[line["sku"]][1],
                "original_price": known[line["sku"]][1],
            }
            for at, line in enumerate(order["products"])
        ],
    )
    if not order["createOnly"]:
        _reserve_stock(connection, number, order["products"], known)
    return _created(number, order)


def _items(connection: Connection, skus: list[str]) -> dict[str, tuple[int, Decimal]]:
    """SKU → item id and price. Raises RefusedError."""
    rows = connection.execute(
        select(items.c.sku, items.c.id, prices.c.price)
        .join(prices, prices.c.item_id == items.c.id)
        .where(items.c.sku.in_(skus), prices.c.pricelist_id == 1)
    )
    known = {row.sku: (row.id, row.price) for row in rows}
    for sku in skus:
        if sku not in known:
            raise RefusedError(-1, f"no item has SKU {sku!r}")
    return known


def _voucher(connection: Connection, order: dict[str, Any], total: Decimal) -> Decimal:
    """Use the vouchers up; gives what they take off. Raises RefusedError."""
    value = Decimal(0)
    for code in order.get("voucherCodes", ()):
        used = connection.execute(
            update(vouchers)
            .where(vouchers.c.code == code, vouchers.c.used < vouchers.c.uses)
            .values(used=vouchers.c.used + 1)
            .returning(vouchers.c.percent)
        ).scalar_one_or_none()
        if used is None:
            raise RefusedError(-7, f"the voucher {code!r} is not valid")
        value += (total * used / 100).quantize(Decimal("0.01"))
    return min(value, total)


def _reserve_stock(
    connection: Connection, number: int, products: list[dict[str, Any]], known: dict[str, tuple[int, Decimal]]
) -> None:
    # In one order everywhere, so that two orders do not lock two items crosswise.
    for at, line in sorted(enumerate(products), key=lambda one: known[one[1]["sku"]][0]):
        item_id = known[line["sku"]][0]
        warehouse_id = _reserve(connection, item_id, line["qty"])
        if warehouse_id is None:
            raise RefusedError(-2, f"products[{at}]: {line['qty']} wanted of SKU {line['sku']!r}")
        taken = {"order_number": number, "line": at, "item_id": item_id, "quantity": line["qty"]}
        connection.execute(insert(allocations), {**taken, "warehouse_id": warehouse_id})


def _reserve(connection: Connection, item_id: int, units: int) -> int | None:
    """Take units from the first warehouse that has them."""
    for warehouse_id in _WAREHOUSES:
        taken = connection.execute(
            update(stock)
            .where(
                stock.c.item_id == item_id,
                stock.c.warehouse_id == warehouse_id,
                stock.c.physical - stock.c.allocated >= units,
            )
            .values(allocated=stock.c.allocated + units)
        )
        if taken.rowcount == 1:
            return warehouse_id
    return None


def allow_several_orders_per_key(engine: Engine) -> None:
    """Take the unique key away, as a schema that knows no jobs has none."""
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE orders DROP CONSTRAINT {ONE_PER_KEY}"))
