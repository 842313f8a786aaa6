"""Payments of orders that exist: the same transaction of the same kind again replaces what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from shared.persistence.core.order_changes import mark_changed
from shared.persistence.orders.rows import PAYMENTS, payment_rows

# Of one statement no two rows may meet the same one that is there: they are told apart before.
_RECORD = text(f"""
    INSERT INTO payments ({", ".join(PAYMENTS)})
    SELECT {", ".join(PAYMENTS)}
    FROM unnest(
        CAST(:order_number AS bigint[]), CAST(:method_id AS integer[]), CAST(:kind AS text[]),
        CAST(:status AS smallint[]), CAST(:amount AS numeric[]), CAST(:response AS text[]),
        CAST(:transaction AS text[]), CAST(:method AS text[]), CAST(:external_url AS text[])
    ) WITH ORDINALITY AS said ({", ".join(PAYMENTS)}, place)
    ORDER BY place
    ON CONFLICT (order_number, kind, transaction) WHERE transaction IS NOT NULL
    DO UPDATE SET method_id = EXCLUDED.method_id, status = EXCLUDED.status, amount = EXCLUDED.amount,
        response = EXCLUDED.response, method = EXCLUDED.method, external_url = EXCLUDED.external_url
""")  # noqa: S608 - names of our own columns
_ORDER_NUMBER, _KIND, _TRANSACTION = map(PAYMENTS.index, ("order_number", "kind", "transaction"))


def record_payments(connection: Connection, payments: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Record payments of locked orders, each with the number of the order's first part; in order.

    One with the kind and the transaction of an earlier one takes its place; one without a transaction is one
    more.
    """
    rows: dict[object, tuple[Any, ...]] = {}
    for order_number, payment in payments:
        for row in payment_rows(order_number, payment):
            named = row[_TRANSACTION] is not None
            rows[(order_number, row[_KIND], row[_TRANSACTION]) if named else len(rows)] = row
    if rows:
        columns = map(list, zip(*rows.values(), strict=True))
        connection.execute(_RECORD, dict(zip(PAYMENTS, columns, strict=True)))
        mark_changed(connection, {row[_ORDER_NUMBER] for row in rows.values()})
