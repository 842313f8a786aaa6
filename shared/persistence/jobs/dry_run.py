"""Dry runs: what the closed slices of one would have taken, for those that come after them.

It is written in the transaction that closes a slice, and gone when the job is finished. Nobody but the slices
of that job, of which one is settled at a time, looks at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from uuid import UUID

    from shared.domain.allocation import StockKey

# All of them in one row: each would be looked at on its way.
_UNITS = text("""
    SELECT array_agg(item_id) AS items, array_agg(warehouse_id) AS warehouses, array_agg(units) AS units
    FROM dry_run_stock WHERE job_id = :job_id AND item_id = ANY(CAST(:items AS bigint[]))
""")
_USES = text("""
    SELECT voucher_id, uses FROM dry_run_vouchers
    WHERE job_id = :job_id AND voucher_id = ANY(CAST(:vouchers AS integer[]))
""")
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


@dataclass(slots=True)
class DryRun:
    """What a slice of a dry run would take, and what those before it would have taken; of one transaction."""

    job_id: UUID
    is_first: bool
    """Whether there is no slice before it."""
    numbers: Mapping[int, int] = field(default_factory=dict)
    """The order numbers that are gone, each with its order's market."""
    units: Counter[StockKey] = field(default_factory=Counter)
    """What it would take itself, so far."""
    uses: Counter[int] = field(default_factory=Counter)

    def earlier_units(self, connection: Connection, item_ids: Collection[int]) -> dict[StockKey, int]:
        """How many units of these items are gone, by item and warehouse."""
        if self.is_first or not item_ids:
            return {}
        row = connection.execute(_UNITS, {"job_id": self.job_id, "items": list(item_ids)}).one()
        keys = zip(row.items or (), row.warehouses or (), strict=True)
        return dict(zip(keys, row.units or (), strict=True))

    def earlier_uses(self, connection: Connection, voucher_ids: Collection[int]) -> dict[int, int]:
        """How many uses of these vouchers are gone."""
        if self.is_first or not voucher_ids:
            return {}
        rows = connection.execute(_USES, {"job_id": self.job_id, "vouchers": list(voucher_ids)})
        return {row.voucher_id: row.uses for row in rows}


def earlier_numbers(connection: Connection, job_id: UUID, numbers: Collection[int]) -> dict[int, int]:
    """Which of these order numbers earlier slices would have taken, each with its order's market."""
    if not numbers:
        return {}
    rows = connection.execute(_NUMBERS, {"job_id": job_id, "numbers": list(numbers)})
    return {row.number: row.market_id for row in rows}


def remember(connection: Connection, dry_run: DryRun, numbers: Mapping[int, int]) -> None:
    """Write down what a slice would have taken, and which order numbers, each with its order's market."""
    job_id, units, uses = dry_run.job_id, dry_run.units, dry_run.uses
    if units:
        keys = {
            "items": [item for item, _ in units],
            "warehouses": [warehouse for _, warehouse in units],
            "units": list(units.values()),
        }
        connection.execute(_REMEMBER_STOCK, {"job_id": job_id, **keys})
    if uses:
        connection.execute(
            _REMEMBER_USES, {"job_id": job_id, "vouchers": list(uses), "uses": list(uses.values())}
        )
    if numbers:
        named = {"numbers": list(numbers), "markets": list(numbers.values())}
        connection.execute(_REMEMBER_NUMBERS, {"job_id": job_id, **named})


def forget(connection: Connection, job_ids: Iterable[UUID]) -> None:
    """Delete what was written down of these jobs: none of their slices is open any more."""
    connection.execute(_FORGET, {"job_ids": list(job_ids)})
