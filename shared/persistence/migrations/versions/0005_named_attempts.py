"""named attempts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "slices",
        sa.Column(
            "attempt_tokens", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column(
        "slices",
        sa.Column("attempted_together", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("slices", "attempted_together")
    op.drop_column("slices", "attempt_tokens")
