"""ordered jobs"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
# Older code goes on: it gets no slice whose turn has not come, and leaves the next to the sweeper.
serves = "0019"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("ordered", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("slices", "next_dispatch_at", nullable=True)
    op.create_index(
        op.f("jobs_ordered_idx"),
        "jobs",
        ["id"],
        postgresql_where=sa.text("ordered AND finished_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("UPDATE slices SET next_dispatch_at = now() WHERE next_dispatch_at IS NULL")
    op.drop_index(op.f("jobs_ordered_idx"), table_name="jobs")
    op.alter_column("slices", "next_dispatch_at", nullable=False)
    op.drop_column("jobs", "ordered")
