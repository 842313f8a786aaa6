"""Pages of orders, read back in a fixed number of statements, however many orders and lines there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Engine,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    select,
    text,
)

from shared.domain.currencies import shown
from shared.domain.order_list import (
    ListedLine,
    ListedOrder,
    ListedPayment,
    OrderEdge,
    OrderFilter,
    OrderPage,
    PageTooLarge,
    check_page,
)
from shared.persistence.core.database import snapshot
from shared.persistence.core.tables import allocation_rules, customers, markets, orders, pricelists
from shared.persistence.orders.listed_shipments import shipments_of
from shared.persistence.orders.page_sizes import page_sizes
from shared.persistence.orders.rows import ORDERS

# What an order's row says of itself by the name that the order has it under, too.
_PLAIN = tuple(
    name
    for name in ORDERS
    if name
    not in {
        # Not told of an order, or told in another form.
        "position",
        "batch_key",
        "client_id",
        "api_key_id",
        "part",
        "first_number",
        "allocation_rule_id",
        "invoice_address",
        "delivery_address",
        "extra_attributes",
        "vouchers",
    }
)

_AMOUNTS = ("lines_total", "shipping_value", "voucher_value", "grand_total")

_LINES = text(
    "SELECT order_lines.order_number, order_lines.id, line, order_lines.sku, quantity, back_ordered,"
    " shipped, unit_price, original_price, comment, item_text, order_lines.item_id, ean, upc, product,"
    " variant, size, brand FROM order_lines LEFT JOIN item_versions AS sold"
    " ON sold.item_id = order_lines.item_id AND sold.version = order_lines.item_version"
    " WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_number, line"
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


def find_orders(
    engine: Engine,
    wanted: OrderFilter,
    *,
    most_lines: int,
    most_bytes: int,
    reserve: Callable[[int], None] = lambda _: None,
) -> OrderPage | PageTooLarge:
    """Read a page of orders, all of it as of one moment. A single order is read whatever its size.

    ``reserve`` is told how many bytes of JSON it comes to, about, before it is read, and may refuse.

    Raises PersistenceError.
    """
    # A snapshot: an order that is being completed shows either before or after, not its row before and
    # its lines after.
    with snapshot(engine) as connection:
        found = page_sizes(connection, wanted)
        sizes = found[: wanted.limit]
        if wanted.backwards:
            sizes = sizes[::-1]
        too_large = check_page(sizes, most_lines=most_lines, most_bytes=most_bytes)
        if too_large is not None:
            return too_large
        reserve(sum(size.json_bytes for size in sizes))
        page = read_orders(connection, [size.number for size in sizes])
    return _with_edges(page, wanted, more=len(found) > wanted.limit)


def _with_edges(page: Sequence[ListedOrder], wanted: OrderFilter, *, more: bool) -> OrderPage:
    edge = wanted.edge
    newer, older = (more, True) if wanted.backwards else (edge is not None, more)
    if not page:
        # Nothing beyond the edge: what is on this side of it begins with the edge's own order.
        if edge is None:
            return OrderPage(page, None, None)
        own = max(0, edge.number + (1 if edge.backwards else -1))
        back = OrderEdge(edge.created_at, own, backwards=not edge.backwards)
        return OrderPage(page, None if edge.backwards else back, back if edge.backwards else None)
    first, last = page[0], page[-1]
    return OrderPage(
        page,
        OrderEdge(first.created_at, first.number, backwards=True) if newer else None,
        OrderEdge(last.created_at, last.number) if older else None,
    )


def read_orders(connection: Connection, numbers: Sequence[int]) -> list[ListedOrder]:
    """The orders of these numbers, in this order, in the snapshot that the connection has."""
    rows = connection.execute(_rows(numbers)).all()
    currencies = {row.number: row.currency for row in rows}
    lines = _lines(connection, currencies)
    paid, siblings = _payments(connection, currencies), _siblings(connection, numbers)
    shipped = shipments_of(connection, numbers)
    found = {
        row.number: _order(row, lines, paid, siblings, shipments=shipped.get(row.number, ())) for row in rows
    }
    return [found[number] for number in numbers]


def _rows(numbers: Sequence[int]) -> Select[Any]:
    return (
        select(
            *(orders.c[name] for name in _PLAIN),
            func.coalesce(orders.c.modified_at, orders.c.created_at).label("modified_at"),
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
        .join(customers, customers.c.id == orders.c.customer_id)
        .join(markets, markets.c.id == orders.c.market_id)
        .join(pricelists, pricelists.c.id == orders.c.pricelist_id)
        .join(allocation_rules, allocation_rules.c.id == orders.c.allocation_rule_id)
        # A single parameter: there is one statement however many orders there are.
        .where(orders.c.number == any_(bindparam("numbers", list(numbers), ARRAY(BigInteger))))
    )


def _lines(connection: Connection, currencies: Mapping[int, str]) -> dict[int, list[ListedLine]]:
    """The lines of orders whose currencies are given by number."""
    numbers = list(currencies)
    rows = connection.execute(_LINES, {"numbers": numbers}).all()
    warehouses = defaultdict(list)
    for number, line, name, quantity in connection.execute(_ALLOCATIONS, {"numbers": numbers}):
        warehouses[number, line].append((name, quantity))
    lines = defaultdict(list)
    for row in rows:
        number, *_ = row
        own: dict[str, Any] = row._asdict()
        del own["order_number"]
        for price in ("unit_price", "original_price"):
            own[price] = shown(own[price], currencies[number])
        lines[number].append(ListedLine(**own, warehouses=warehouses.get((number, row.line), ())))
    return lines


def _payments(connection: Connection, currencies: Mapping[int, str]) -> dict[int, list[ListedPayment]]:
    paid = defaultdict(list)
    for number, *details in connection.execute(_PAYMENTS, {"numbers": list(currencies)}):
        method_id, kind, status, amount, response, transaction, method, external_url = details
        paid[number].append(
            ListedPayment(
                method_id=method_id,
                kind=kind,
                status=status,
                amount=None if amount is None else shown(amount, currencies[number]),
                response=response,
                transaction=transaction,
                method=method,
                external_url=external_url,
            )
        )
    return paid


def _siblings(connection: Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    siblings = defaultdict(list)
    for number, other in connection.execute(_SIBLINGS, {"numbers": list(numbers)}):
        siblings[number].append(other)
    return siblings


def _order(
    row: Row[Any],
    lines: dict[int, list[ListedLine]],
    paid: dict[int, list[ListedPayment]],
    siblings: dict[int, list[int]],
    **others: Any,
) -> ListedOrder:
    own: dict[str, Any] = row._asdict()
    for name in _AMOUNTS:
        own[name] = shown(own[name], row.currency)
    took_off = own.pop("vouchers") or ()
    return ListedOrder(
        batch_key=msgspec.json.decode(own.pop("batch_key"), type=str),
        invoice=own.pop("invoice_address"),
        delivery=own.pop("delivery_address"),
        vouchers=[{**one, "value": shown(Decimal(one["value"]), row.currency)} for one in took_off],
        lines=lines.get(row.number, ()),
        payments=paid.get(row.number, ()),
        siblings=siblings.get(row.number, ()),
        **own,
        **others,
    )
