"""back-orders by item"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index(
        "order_lines_back_ordered_idx",
        "order_lines",
        ["item_id"],
        postgresql_where=sa.text("back_ordered > 0"),
    )


def downgrade() -> None:
    op.drop_index("order_lines_back_ordered_idx", table_name="order_lines")
