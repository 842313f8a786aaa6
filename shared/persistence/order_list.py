"""Pages of orders, read back in a fixed number of statements, however many orders and lines there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, Text, cast, select, text

from shared.domain.order_list import (
    ListedLine,
    ListedOrder,
    ListedPayment,
    OrderFilter,
    OrderPage,
    TooManyLines,
)
from shared.persistence.errors import translated
from shared.persistence.tables import allocation_rules, customers, markets, orders, pricelists

# What an order's row says of itself by the name that the order has it under, too.
_PLAIN = (
    "number",
    "state",
    "job_id",
    "customer_id",
    "account_id",
    "buyer_id",
    "buyer_name",
    "market_id",
    "pricelist_id",
    "currency",
    "lines_total",
    "shipping_uri",
    "shipping_value",
    "voucher_value",
    "grand_total",
    "adjust_stock",
    "force_create",
    "apply_vouchers",
    "internal_order",
    "send_email",
    "comment",
    "internal_comment",
    "po_number",
    "order_date",
    "delivery_date",
    "cancel_date",
    "delivery_window",
    "origin",
    "created_at",
)
_LINES = text(
    "SELECT order_lines.order_number, order_lines.id, line, order_lines.sku, quantity, back_ordered,"
    " unit_price, original_price, comment, item_text, item_id, ean, upc, product, variant, size, brand"
    " FROM order_lines LEFT JOIN items ON items.id = item_id"
    " WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_number, line LIMIT :most"
)
_ALLOCATIONS = text(
    "SELECT order_number, line, name, quantity FROM allocations"
    " JOIN warehouses ON warehouses.id = warehouse_id"
    " WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_number, line, warehouse_id"
)
_PAYMENTS = text(
    "SELECT order_number, method_id, kind, status, amount, response, transaction, method, external_url"
    " FROM payments WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY id"
)
# By job and position: that is how the constraint orders_one_per_key finds the parts of one order request.
_SIBLINGS = text(
    "SELECT orders.number, sibling.number AS other FROM orders"
    " JOIN orders AS sibling ON sibling.job_id = orders.job_id AND sibling.position = orders.position"
    " AND sibling.number <> orders.number"
    " WHERE orders.number = ANY(CAST(:numbers AS bigint[])) ORDER BY orders.number, sibling.part"
)


def find_orders(engine: Engine, wanted: OrderFilter, most_lines: int) -> OrderPage | TooManyLines:
    """Read a page of orders, all of it as of one moment. A single order is read whatever its lines.

    Raises PersistenceError.
    """
    # Repeatable read: an order that is being completed shows either before or after, not its row before and
    # its lines after.
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with translated(), engine.connect().execution_options(**snapshot) as connection:
        found = connection.execute(_page(wanted)).all()
        rows = found[: wanted.limit]
        numbers = [row.number for row in rows]
        lines = _lines(connection, numbers, most_lines if len(rows) > 1 else None)
        if lines is None:
            return TooManyLines(most_lines)
        payments, siblings = _payments(connection, numbers), _siblings(connection, numbers)
    return OrderPage([_order(row, lines, payments, siblings) for row in rows], len(found) > wanted.limit)


def _page(wanted: OrderFilter) -> Select[Any]:
    # First the numbers alone: what is skipped costs a step in the index, not a row with its addresses.
    numbers = (
        select(orders.c.number)
        .order_by(orders.c.created_at.desc(), orders.c.number.desc())
        .limit(wanted.limit + 1)
        .offset(wanted.offset)
    )
    if wanted.number is not None:
        numbers = numbers.where(orders.c.number == wanted.number)
    if wanted.customer_id is not None:
        numbers = numbers.where(orders.c.customer_id == wanted.customer_id)
    if wanted.created_from is not None:
        numbers = numbers.where(orders.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        numbers = numbers.where(orders.c.created_at < wanted.created_before)
    if wanted.market_ids is not None:
        numbers = numbers.where(orders.c.market_id.in_(sorted(wanted.market_ids)))
    page = numbers.cte("page")
    return (
        select(
            *(orders.c[name] for name in _PLAIN),
            orders.c.batch_key,
            orders.c.invoice_address,
            orders.c.delivery_address,
            orders.c.vouchers,
            # As text: numbers must not pass through floating point.
            cast(orders.c.extra_attributes, Text).label("extra_attributes"),
            markets.c.name.label("market"),
            pricelists.c.name.label("pricelist"),
            allocation_rules.c.name.label("allocation_rule"),
            customers.c.registered_email.is_not(None).label("customer_registered"),
            customers.c.reset_password.label("customer_to_reset_password"),
        )
        .join_from(page, orders, orders.c.number == page.c.number)
        .join(customers, customers.c.id == orders.c.customer_id)
        .join(markets, markets.c.id == orders.c.market_id)
        .join(pricelists, pricelists.c.id == orders.c.pricelist_id)
        .join(allocation_rules, allocation_rules.c.id == orders.c.allocation_rule_id)
        .order_by(orders.c.created_at.desc(), orders.c.number.desc())
    )


def _lines(
    connection: Connection, numbers: Sequence[int], most: int | None
) -> dict[int, list[ListedLine]] | None:
    """The orders' lines, or None when there are more than ``most`` in all."""
    names = {"numbers": list(numbers), "most": None if most is None else most + 1}
    rows = connection.execute(_LINES, names).all()
    if most is not None and len(rows) > most:
        return None
    warehouses = defaultdict(list)
    for number, line, name, quantity in connection.execute(_ALLOCATIONS, {"numbers": list(numbers)}):
        warehouses[number, line].append((name, quantity))
    lines = defaultdict(list)
    for row in rows:
        number, *_ = row
        own: dict[str, Any] = row._asdict()
        del own["order_number"]
        lines[number].append(ListedLine(**own, warehouses=warehouses.get((number, row.line), ())))
    return lines


def _payments(connection: Connection, numbers: Sequence[int]) -> dict[int, list[ListedPayment]]:
    payments = defaultdict(list)
    for number, *details in connection.execute(_PAYMENTS, {"numbers": list(numbers)}):
        method_id, kind, status, amount, response, transaction, method, external_url = details
        payments[number].append(
            ListedPayment(
                method_id=method_id,
                kind=kind,
                status=status,
                amount=amount,
                response=response,
                transaction=transaction,
                method=method,
                external_url=external_url,
            )
        )
    return payments


def _siblings(connection: Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    siblings = defaultdict(list)
    for number, other in connection.execute(_SIBLINGS, {"numbers": list(numbers)}):
        siblings[number].append(other)
    return siblings


def _order(
    row: Row[Any],
    lines: dict[int, list[ListedLine]],
    payments: dict[int, list[ListedPayment]],
    siblings: dict[int, list[int]],
) -> ListedOrder:
    own: dict[str, Any] = row._asdict()
    return ListedOrder(
        batch_key=msgspec.json.decode(own.pop("batch_key"), type=str),
        invoice=own.pop("invoice_address"),
        delivery=own.pop("delivery_address"),
        vouchers=own.pop("vouchers") or (),
        lines=lines.get(row.number, ()),
        payments=payments.get(row.number, ()),
        siblings=siblings.get(row.number, ()),
        **own,
    )
