"""orders by account"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "orders_account_id_market_id_idx",
        "orders",
        ["account_id", "market_id"],
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("orders_account_id_market_id_idx", table_name="orders")
