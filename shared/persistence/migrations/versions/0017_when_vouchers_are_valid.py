"""when vouchers are valid"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0017"
down_revision = "0016"
# Older code takes a voucher at any time, as it did.
serves = "0014"


def upgrade() -> None:
    op.add_column(
        "vouchers", sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("vouchers", sa.Column("starts_at", TIMESTAMP(timezone=True)))
    op.add_column("vouchers", sa.Column("ends_at", TIMESTAMP(timezone=True)))
    op.add_column("vouchers", sa.Column("market_ids", sa.ARRAY(sa.Integer())))


def downgrade() -> None:
    for column in ("active", "starts_at", "ends_at", "market_ids"):
        op.drop_column("vouchers", column)
