"""the order in full"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "confirmations",
        sa.Column("order_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_try_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("handed_over_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["order_number"], ["orders.number"], name=op.f("confirmations_order_number_fkey")
        ),
        sa.PrimaryKeyConstraint("order_number", name=op.f("confirmations_pkey")),
    )
    op.create_index(
        "confirmations_waiting_idx",
        "confirmations",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("handed_over_at IS NULL AND fault IS NULL"),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("transaction", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("external_url", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("amount >= 0 AND amount < 'NaN'", name=op.f("payments_amount_not_negative")),
        sa.CheckConstraint("kind IN ('auth', 'capture')", name=op.f("payments_kind_known")),
        sa.CheckConstraint(
            "(kind IS NULL) = (status IS NULL) AND (kind IS NULL) = (amount IS NULL)",
            name=op.f("payments_whole"),
        ),
        sa.CheckConstraint("status BETWEEN 0 AND 2", name=op.f("payments_status_known")),
        sa.ForeignKeyConstraint(["order_number"], ["orders.number"], name=op.f("payments_order_number_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payments_pkey")),
    )
    op.create_index(op.f("payments_order_number_idx"), "payments", ["order_number"], unique=False)
    op.add_column("jobs", sa.Column("form", sa.Text(), server_default=sa.text("'batch'"), nullable=False))
    op.add_column("orders", sa.Column("vouchers", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_check_constraint(op.f("jobs_form_known"), "jobs", "form IN ('batch', 'order', 'completion')")


def downgrade() -> None:
    op.drop_column("orders", "vouchers")
    op.drop_column("jobs", "form")
    op.drop_index(op.f("payments_order_number_idx"), table_name="payments")
    op.drop_table("payments")
    op.drop_index(
        "confirmations_waiting_idx",
        table_name="confirmations",
        postgresql_where=sa.text("handed_over_at IS NULL AND fault IS NULL"),
    )
    op.drop_table("confirmations")
