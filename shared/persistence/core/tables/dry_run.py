"""The tables of dry runs: what the closed slices of one that runs would have taken, for those after them.

Gone when the job is finished. No stock, voucher or number is less for it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Uuid,
)

from shared.domain.order import MOST_NUMBER
from shared.persistence.core.tables.base import metadata

# The numbers of orders that are taken back before anybody sees them: none that an order may have.
dry_run_number_sequence = Sequence(
    "dry_run_number_seq", start=MOST_NUMBER + 1, metadata=metadata, data_type=BigInteger
)

dry_run_stock = Table(
    "dry_run_stock",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("warehouse_id", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    PrimaryKeyConstraint("job_id", "item_id", "warehouse_id"),
    CheckConstraint("units > 0", name="units_positive"),
)

dry_run_vouchers = Table(
    "dry_run_vouchers",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("voucher_id", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    PrimaryKeyConstraint("job_id", "voucher_id"),
    CheckConstraint("uses > 0", name="uses_positive"),
)

dry_run_numbers = Table(
    # The numbers that orders asked for, each with the market of its order: one after it may name it.
    "dry_run_numbers",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("market_id", Integer, nullable=False),
    PrimaryKeyConstraint("job_id", "number"),
)
