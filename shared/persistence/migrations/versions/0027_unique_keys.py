"""unique keys"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0031"
# Code of the one before goes on: it is given no batch that asks for unique keys, and its orders have theirs
# all the same.
serves = "0031"


def upgrade() -> None:
    op.create_table(
        "unique_keys",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(key_hash) = 32", name=op.f("unique_keys_hash_is_sha256")),
        sa.PrimaryKeyConstraint("client_id", "key_hash", name=op.f("unique_keys_pkey")),
    )
    op.create_index(
        "orders_batch_key_idx",
        "orders",
        [sa.text("hashtextextended(batch_key, 0::bigint)"), "api_key_id"],
    )


def downgrade() -> None:
    op.drop_index("orders_batch_key_idx", table_name="orders")
    op.drop_table("unique_keys")
