"""shipped lines by order"""

from alembic import op

revision = "0034"
down_revision = "0032"
# An index alone: code of the one before goes on.
serves = "0032"


def upgrade() -> None:
    op.create_index("shipment_lines_order_number_line_idx", "shipment_lines", ["order_number", "line"])


def downgrade() -> None:
    op.drop_index("shipment_lines_order_number_line_idx", table_name="shipment_lines")
