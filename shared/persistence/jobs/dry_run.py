"""Dry runs: what the closed slices of one would have taken, for those that come after them.

It is written in the transaction that closes a slice, and gone when the job is finished. Nobody but the slices
of that job, of which one is settled at a time, looks at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from uuid import UUID

    from shared.domain.allocation import StockKey

# No more than there is: others may have taken meanwhile what an earlier slice found.
_TAKE_STOCK = text("""
    UPDATE stock SET allocated = stock.allocated + LEAST(earlier.units, stock.physical - stock.allocated)
    FROM dry_run_stock AS earlier
    WHERE earlier.job_id = :job_id AND earlier.item_id = ANY(CAST(:items AS bigint[]))
      AND stock.item_id = earlier.item_id AND stock.warehouse_id = earlier.warehouse_id
""")
_TAKE_USES = text("""
    UPDATE vouchers SET used = used + LEAST(earlier.uses, vouchers.uses - used)
    FROM dry_run_vouchers AS earlier
    WHERE earlier.job_id = :job_id AND earlier.voucher_id = ANY(CAST(:vouchers AS integer[]))
      AND vouchers.id = earlier.voucher_id AND vouchers.uses IS NOT NULL
""")
# All of them in one row: each would be looked at on its way.
_ALLOCATED = text("""
    SELECT array_agg(item_id) AS items, array_agg(warehouse_id) AS warehouses,
           array_agg(allocated) AS allocated
    FROM stock WHERE item_id = ANY(CAST(:items AS bigint[]))
""")
_USED = text("SELECT id, used FROM vouchers WHERE id = ANY(CAST(:vouchers AS integer[]))")
_NUMBERS = text("""
    SELECT number, market_id FROM dry_run_numbers
    WHERE job_id = :job_id AND number = ANY(CAST(:numbers AS bigint[]))
""")
_REMEMBER_STOCK = text("""
    INSERT INTO dry_run_stock AS earlier (job_id, item_id, warehouse_id, units)
    SELECT :job_id, item_id, warehouse_id, units
    FROM unnest(CAST(:items AS bigint[]), CAST(:warehouses AS integer[]), CAST(:units AS integer[]))
         AS taken (item_id, warehouse_id, units)
    ON CONFLICT (job_id, item_id, warehouse_id) DO UPDATE SET units = earlier.units + excluded.units
""")
_REMEMBER_USES = text("""
    INSERT INTO dry_run_vouchers AS earlier (job_id, voucher_id, uses)
    SELECT :job_id, voucher_id, uses
    FROM unnest(CAST(:vouchers AS integer[]), CAST(:uses AS integer[])) AS taken (voucher_id, uses)
    ON CONFLICT (job_id, voucher_id) DO UPDATE SET uses = earlier.uses + excluded.uses
""")
_REMEMBER_NUMBERS = text("""
    INSERT INTO dry_run_numbers (job_id, number, market_id)
    SELECT :job_id, number, market_id
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:markets AS integer[])) AS taken (number, market_id)
""")
_FORGET = text("""
    WITH stock AS (DELETE FROM dry_run_stock WHERE job_id = ANY(CAST(:job_ids AS uuid[]))),
    vouchers AS (DELETE FROM dry_run_vouchers WHERE job_id = ANY(CAST(:job_ids AS uuid[])))
    DELETE FROM dry_run_numbers WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
""")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What orders hold at one moment: units by item and warehouse, and uses by voucher."""

    units: Mapping[StockKey, int]
    uses: Mapping[int, int]

    def since(self, before: Holdings) -> Holdings:
        """What has been taken since then."""
        return Holdings(_grown(self.units, before.units), _grown(self.uses, before.uses))


_Key = TypeVar("_Key")


def _grown(now: Mapping[_Key, int], before: Mapping[_Key, int]) -> dict[_Key, int]:
    return {key: count - before.get(key, 0) for key, count in now.items() if count > before.get(key, 0)}


def take_again(
    connection: Connection, job_id: UUID, item_ids: Collection[int], voucher_ids: Collection[int]
) -> None:
    """Take, of these items and vouchers, what earlier slices of a dry run would have taken.

    Their rows are locked by this transaction, which takes all of it back.
    """
    if item_ids:
        connection.execute(_TAKE_STOCK, {"job_id": job_id, "items": list(item_ids)})
    if voucher_ids:
        connection.execute(_TAKE_USES, {"job_id": job_id, "vouchers": list(voucher_ids)})


def holdings(connection: Connection, item_ids: Collection[int], voucher_ids: Collection[int]) -> Holdings:
    """What orders hold now of these items and vouchers."""
    units: dict[StockKey, int] = {}
    uses: dict[int, int] = {}
    if item_ids:
        row = connection.execute(_ALLOCATED, {"items": list(item_ids)}).one()
        keys = zip(row.items or (), row.warehouses or (), strict=True)
        units = dict(zip(keys, row.allocated or (), strict=True))
    if voucher_ids:
        rows = connection.execute(_USED, {"vouchers": list(voucher_ids)})
        uses = {row.id: row.used for row in rows}
    return Holdings(units, uses)


def earlier_numbers(connection: Connection, job_id: UUID, numbers: Collection[int]) -> dict[int, int]:
    """Which of these order numbers earlier slices would have taken, each with its order's market."""
    if not numbers:
        return {}
    rows = connection.execute(_NUMBERS, {"job_id": job_id, "numbers": list(numbers)})
    return {row.number: row.market_id for row in rows}


def remember(connection: Connection, job_id: UUID, taken: Holdings, numbers: Mapping[int, int]) -> None:
    """Write down what a slice would have taken, and which order numbers, each with its order's market."""
    if taken.units:
        keys = {
            "items": [item for item, _ in taken.units],
            "warehouses": [warehouse for _, warehouse in taken.units],
            "units": list(taken.units.values()),
        }
        connection.execute(_REMEMBER_STOCK, {"job_id": job_id, **keys})
    if taken.uses:
        vouchers = {"vouchers": list(taken.uses), "uses": list(taken.uses.values())}
        connection.execute(_REMEMBER_USES, {"job_id": job_id, **vouchers})
    if numbers:
        named = {"numbers": list(numbers), "markets": list(numbers.values())}
        connection.execute(_REMEMBER_NUMBERS, {"job_id": job_id, **named})


def forget(connection: Connection, job_ids: Iterable[UUID]) -> None:
    """Delete what was written down of these jobs: none of their slices is open any more."""
    connection.execute(_FORGET, {"job_ids": list(job_ids)})
