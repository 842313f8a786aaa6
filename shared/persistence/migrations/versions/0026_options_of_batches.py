"""options of batches"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0029"
# Older code goes on: it takes no batch with these options, and decides what a newer API took as a plain one.
serves = "0019"

_FLAGS = ("dry_run", "atomic", "unique_keys")


def upgrade() -> None:
    for flag in _FLAGS:
        op.add_column("jobs", sa.Column(flag, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("jobs", sa.Column("max_failed", sa.Integer()))
    op.add_column("jobs", sa.Column("not_before", postgresql.TIMESTAMP(timezone=True)))
    op.add_column("jobs", sa.Column("reference", sa.Text()))
    op.add_column("jobs", sa.Column("labels", postgresql.JSONB()))
    op.create_check_constraint(op.f("jobs_max_failed_not_negative"), "jobs", "max_failed >= 0")
    op.create_check_constraint(
        op.f("jobs_atomic_or_some_failed"), "jobs", "NOT (atomic AND max_failed IS NOT NULL)"
    )
    op.create_check_constraint(op.f("jobs_labels_is_object"), "jobs", "jsonb_typeof(labels) = 'object'")
    op.create_index(
        op.f("jobs_reference_idx"),
        "jobs",
        ["reference", "id"],
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        op.f("jobs_labels_idx"),
        "jobs",
        ["labels"],
        postgresql_using="gin",
        postgresql_ops={"labels": "jsonb_path_ops"},
        postgresql_where=sa.text("labels IS NOT NULL"),
    )
    op.create_index(
        op.f("jobs_not_before_idx"),
        "jobs",
        ["not_before"],
        postgresql_where=sa.text("not_before IS NOT NULL AND finished_at IS NULL"),
    )


def downgrade() -> None:
    for name in ("not_before", "labels", "reference"):
        op.drop_index(op.f(f"jobs_{name}_idx"), table_name="jobs")
    for name in ("labels_is_object", "atomic_or_some_failed", "max_failed_not_negative"):
        op.drop_constraint(op.f(f"jobs_{name}"), "jobs")
    for column in ("labels", "reference", "not_before", "max_failed", *reversed(_FLAGS)):
        op.drop_column("jobs", column)
