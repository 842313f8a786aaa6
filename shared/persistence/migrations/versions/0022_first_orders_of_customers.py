"""first orders of customers"""

from alembic import op

revision = "0022"
down_revision = "0024"
# Older code looks for a customer's orders, which begin this index as well; what 0024 serves, this does.
serves = "0019"


def upgrade() -> None:
    op.create_index("orders_customer_id_created_at_idx", "orders", ["customer_id", "created_at"])
    op.drop_index("orders_customer_id_idx", table_name="orders")


def downgrade() -> None:
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])
    op.drop_index("orders_customer_id_created_at_idx", table_name="orders")
