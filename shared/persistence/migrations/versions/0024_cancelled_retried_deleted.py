"""cancelled, retried and deleted jobs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0020"
# Older code goes on: it decides what was cancelled meanwhile, and shows what was deleted as without outcomes.
serves = "0019"

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cancel_requested_at", _MOMENT))
    op.add_column("jobs", sa.Column("deleted_at", _MOMENT))
    op.add_column("jobs", sa.Column("retry_of", sa.Uuid()))
    op.add_column("jobs", sa.Column("first_try", sa.Uuid()))
    op.create_check_constraint(
        op.f("jobs_retry_has_first_try"), "jobs", "(retry_of IS NULL) = (first_try IS NULL)"
    )
    op.create_check_constraint(
        op.f("jobs_deleted_when_finished"), "jobs", "deleted_at IS NULL OR finished_at IS NOT NULL"
    )
    op.create_index(
        op.f("jobs_retry_of_idx"), "jobs", ["retry_of"], postgresql_where=sa.text("retry_of IS NOT NULL")
    )
    op.create_table(
        "retried_keys",
        sa.Column("first_try", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("octet_length(key_hash) = 32", name=op.f("retried_keys_hash_is_sha256")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("retried_keys_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_try", "key_hash", name=op.f("retried_keys_pkey")),
    )
    op.create_index(op.f("retried_keys_job_id_idx"), "retried_keys", ["job_id"])


def downgrade() -> None:
    op.drop_table("retried_keys")
    op.drop_index(op.f("jobs_retry_of_idx"), table_name="jobs")
    op.drop_constraint(op.f("jobs_deleted_when_finished"), "jobs")
    op.drop_constraint(op.f("jobs_retry_has_first_try"), "jobs")
    for column in ("first_try", "retry_of", "deleted_at", "cancel_requested_at"):
        op.drop_column("jobs", column)
