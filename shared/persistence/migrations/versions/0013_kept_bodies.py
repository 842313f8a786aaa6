"""kept bodies"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    # Batches repeat themselves: a slice takes a fraction of the disk, and of the WAL.
    op.execute("ALTER TABLE slices ALTER COLUMN body SET STORAGE EXTENDED")
    # Faster than PostgreSQL's own method, and not in every build: then that one does it.
    op.execute("""
        DO $$ BEGIN
            EXECUTE 'ALTER TABLE slices ALTER COLUMN body SET COMPRESSION lz4';
        EXCEPTION WHEN feature_not_supported OR syntax_error THEN
            NULL;
        END $$
    """)
    op.alter_column("slices", "body", nullable=True)
    op.create_check_constraint(
        op.f("slices_undecided_has_its_body"), "slices", "closed_at IS NOT NULL OR body IS NOT NULL"
    )
    op.add_column(
        "jobs", sa.Column("bodies_kept", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.create_index(
        op.f("jobs_bodies_kept_idx"), "jobs", ["created_at"], postgresql_where=sa.text("bodies_kept")
    )


def downgrade() -> None:
    op.drop_index(op.f("jobs_bodies_kept_idx"), table_name="jobs")
    op.drop_column("jobs", "bodies_kept")
    op.drop_constraint(op.f("slices_undecided_has_its_body"), "slices")
    op.execute("UPDATE slices SET body = '' WHERE body IS NULL")
    op.alter_column("slices", "body", nullable=False)
    op.execute("ALTER TABLE slices ALTER COLUMN body SET STORAGE EXTERNAL")
