"""Orders locked: all their parts, by number, ascending, and before any stock.

Whoever changes an order locks it so. An order that is completed may become several: whoever waited for its
first part has not seen the new ones, so they are looked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from shared.persistence.core.arrays import number_array
from shared.persistence.core.errors import TransientError

_COLUMNS: Final = """
    number, part, first_number, state, market_id, currency, allocation_rule_id, lines_total, shipping_value,
    voucher_value, adjust_stock, delivery_window, send_email
"""
# By job and position: that is how the constraint orders_one_per_key finds the parts of one order request. One
# by one (OFFSET 0), and no join: with the statistics of a table that grows fast, all of it would be read.
_PARTS: Final = """
    SELECT part.number FROM unnest(CAST(:numbers AS bigint[])) AS wanted (number)
    CROSS JOIN LATERAL (
        SELECT job_id, position FROM orders WHERE number = wanted.number OFFSET 0
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT number FROM orders WHERE job_id = asked.job_id AND position = asked.position OFFSET 0
    ) AS part
"""
_LOCK = text(f"""
    SELECT {_COLUMNS} FROM orders WHERE number = ANY(ARRAY({_PARTS})) ORDER BY number FOR NO KEY UPDATE
""")  # noqa: S608 - made of nothing but what stands above
_SEE_PARTS = text(_PARTS)
_LOCK_NEW = text(f"""
    SELECT {_COLUMNS} FROM orders WHERE number = ANY(CAST(:numbers AS bigint[]))
    ORDER BY number FOR NO KEY UPDATE SKIP LOCKED
""")  # noqa: S608 - made of nothing but what stands above


@dataclass(frozen=True, slots=True)
class LockedOrder:
    """The rows of an order's parts, the first one first; nobody changes them until the transaction ends."""

    parts: Sequence[Any]

    @property
    def first(self) -> Any:
        """The row of its first part."""
        return self.parts[0]


def lock_orders(connection: Connection, numbers: Collection[int]) -> dict[int, LockedOrder]:
    """Lock the orders that have parts with these numbers. Gives each under the numbers of all its parts.

    Raises TransientError where an order has just become several and somebody else has one of them.
    """
    if not numbers:
        return {}
    asked = number_array(sorted(numbers))
    rows = list(connection.execute(_LOCK, {"numbers": asked}))
    if any(row.state != "prepared" for row in rows):
        rows += _new_parts(connection, asked, rows)
    return _by_number(rows)


def _new_parts(connection: Connection, asked: str, locked: Sequence[Any]) -> Sequence[Any]:
    """The parts that came while the first one was waited for.

    They are not waited for: whoever has one may want what is locked here.
    """
    seen = connection.execute(_SEE_PARTS, {"numbers": asked}).scalars()
    new = sorted(set(seen) - {row.number for row in locked})
    if not new:
        return ()
    found = connection.execute(_LOCK_NEW, {"numbers": number_array(new)}).all()
    if len(found) < len(new):
        raise TransientError("somebody else has a part of an order that has just become several")
    return found


def _by_number(rows: Iterable[Any]) -> dict[int, LockedOrder]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.first_number, []).append(row)
    return {
        row.number: locked
        for group in groups.values()
        for locked in [LockedOrder(sorted(group, key=lambda row: row.part))]
        for row in group
    }
