"""dry runs and atomic batches"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0030"
# Serves no older code: its workers would make the orders of a dry run, and some of an atomic batch.


def upgrade() -> None:
    op.execute("CREATE SEQUENCE dry_run_number_seq AS bigint START WITH 9007199254740992")
    op.create_table(
        "dry_run_stock",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("dry_run_stock_units_positive")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("dry_run_stock_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "item_id", "warehouse_id", name=op.f("dry_run_stock_pkey")),
    )
    op.create_table(
        "dry_run_vouchers",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.CheckConstraint("uses > 0", name=op.f("dry_run_vouchers_uses_positive")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("dry_run_vouchers_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "voucher_id", name=op.f("dry_run_vouchers_pkey")),
    )
    op.create_table(
        "dry_run_numbers",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("dry_run_numbers_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("dry_run_numbers_pkey")),
    )
    op.create_check_constraint(
        op.f("jobs_dry_run_and_atomic_are_ordered"), "jobs", "ordered OR NOT (dry_run OR atomic)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("jobs_dry_run_and_atomic_are_ordered"), "jobs")
    for table in ("dry_run_numbers", "dry_run_vouchers", "dry_run_stock"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE dry_run_number_seq")
