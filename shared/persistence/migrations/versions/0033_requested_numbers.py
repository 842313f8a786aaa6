"""requested numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0026"
# Older code goes on: what it accepts requests none, and it steps around no other's.
serves = "0019"


def upgrade() -> None:
    op.create_table(
        "requested_numbers",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("number", "job_id", name=op.f("requested_numbers_pkey")),
    )


def downgrade() -> None:
    op.drop_table("requested_numbers")
