"""Uses of limited vouchers. Rows are locked by id, ascending, after all stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from shared.domain.vouchers import Uses

_LOCK = text(
    "SELECT id, uses - used AS uses_left FROM vouchers"
    " WHERE id = ANY(CAST(:ids AS integer[])) AND uses IS NOT NULL ORDER BY id FOR NO KEY UPDATE"
)
_USE = text(
    "UPDATE vouchers SET used = used + taken.uses"
    " FROM unnest(CAST(:ids AS integer[]), CAST(:uses AS integer[])) AS taken(id, uses)"
    " WHERE vouchers.id = taken.id"
)


def lock_uses(connection: Connection, voucher_ids: Collection[int]) -> Uses:
    """How often each of these vouchers may still be used, locked until the transaction ends."""
    if not voucher_ids:
        return Uses({})
    rows = connection.execute(_LOCK, {"ids": sorted(voucher_ids)})
    return Uses({row.id: row.uses_left for row in rows})


def use(connection: Connection, taken: Mapping[int, int]) -> None:
    """Count uses that were taken from what this transaction has locked."""
    if taken:
        connection.execute(_USE, {"ids": list(taken), "uses": list(taken.values())})
