"""Changes of orders: those of their rows, which triggers record, and those that are said here."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

_MARK = text("UPDATE orders SET modified_at = now() WHERE number = ANY(CAST(:numbers AS bigint[]))")


def mark_changed(connection: Connection, numbers: Collection[int]) -> None:
    """Say that these orders are changed: where a transaction writes to nothing but what belongs to them.

    It has locked them. Whoever updates or inserts rows of ``orders`` need not: triggers record that, and set
    ``modified_at``.
    """
    if numbers:
        connection.execute(_MARK, {"numbers": sorted(numbers)})
