"""What all tables share: their metadata, the types of money and moments, and a condition on amounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, MetaData, Numeric, func
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

# No scale of its own: numeric(15, 3) rounds in silence what has more decimals; the constraints refuse it.
Money = Numeric()
Moment = TIMESTAMP(timezone=True)


def fits(*columns: str) -> str:
    """Whether amounts fit NUMERIC(15, 3) and are none below 0: as a condition, for a constraint."""
    return " AND ".join(f"{one} >= 0 AND {one} < 1000000000000 AND scale({one}) <= 3" for one in columns)


def created_at() -> Column[datetime]:
    """Give the column that says when a row was written."""
    return Column("created_at", Moment, nullable=False, server_default=func.now())
