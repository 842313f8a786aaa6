"""shipments and cancellations

The checks of orders and their lines are made anew, for which each table is read once, locked against
everybody else.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0028"
# Serves no older code: its workers would take shipments for orders.

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_STATES = "state IN ('prepared', 'created', 'partially_shipped', 'shipped', 'cancelled')"
_FORMS = "'batch', 'order', 'completions', 'completion'"
_NEW_FORMS = "'shipments', 'shipment', 'cancellations', 'cancellation'"


def upgrade() -> None:
    # In one statement: the table is locked, and read, once.
    op.execute(
        "ALTER TABLE orders ADD COLUMN cancelled_at timestamptz, ADD COLUMN cancel_reason text,"
        f" DROP CONSTRAINT orders_state_known, ADD CONSTRAINT orders_state_known CHECK ({_STATES}),"
        " ADD CONSTRAINT orders_cancelled_once CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL))"
    )
    op.execute(
        "ALTER TABLE order_lines ADD COLUMN shipped integer DEFAULT 0 NOT NULL,"
        " DROP CONSTRAINT order_lines_quantities, ADD CONSTRAINT order_lines_quantities CHECK ("
        "quantity >= 1 AND back_ordered >= 0 AND shipped >= 0 AND back_ordered + shipped <= quantity)"
    )
    _create_shipments()
    op.drop_constraint(op.f("jobs_form_known"), "jobs", type_="check")
    op.create_check_constraint(op.f("jobs_form_known"), "jobs", f"form IN ({_FORMS}, {_NEW_FORMS})")


def _create_shipments() -> None:
    op.execute("CREATE SEQUENCE shipment_number_seq AS bigint")
    op.create_table(
        "shipments",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("shipped_at", _MOMENT, nullable=False),
        sa.Column("carrier", sa.Text()),
        sa.Column("service", sa.Text()),
        sa.Column("tracking", sa.Text()),
        sa.Column("reference", sa.Text()),
        sa.Column("created_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("shipments_number_positive")),
        sa.ForeignKeyConstraint(
            ["order_number"], ["orders.number"], name=op.f("shipments_order_number_fkey")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("shipments_pkey")),
        sa.UniqueConstraint("job_id", "position", name="shipments_one_per_key"),
    )
    op.create_index("shipments_one_per_reference", "shipments", ["order_number", "reference"], unique=True)
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_number", sa.BigInteger(), nullable=False),
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("warehouse_id", sa.Integer()),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("shipment_lines_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["shipment_number"], ["shipments.number"], name=op.f("shipment_lines_shipment_number_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["order_number", "line"],
            ["order_lines.order_number", "order_lines.line"],
            name=op.f("shipment_lines_order_number_fkey"),
        ),
    )
    op.create_index(
        "shipment_lines_one_per_warehouse",
        "shipment_lines",
        ["shipment_number", "line", sa.text("COALESCE(warehouse_id, 0)")],
        unique=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f("jobs_form_known"), "jobs", type_="check")
    op.execute(f"DELETE FROM jobs WHERE form IN ({_NEW_FORMS})")  # noqa: S608 - our own text
    op.create_check_constraint(op.f("jobs_form_known"), "jobs", f"form IN ({_FORMS})")
    op.drop_table("shipment_lines")
    op.drop_table("shipments")
    op.execute("DROP SEQUENCE shipment_number_seq")
    op.execute(
        "ALTER TABLE order_lines DROP CONSTRAINT order_lines_quantities,"
        " ADD CONSTRAINT order_lines_quantities CHECK ("
        "quantity >= 1 AND back_ordered >= 0 AND back_ordered <= quantity), DROP COLUMN shipped"
    )
    # What was shipped is created as far as older code knows; what was cancelled it does not know at all.
    op.execute("UPDATE orders SET state = 'created', cancelled_at = NULL WHERE state <> 'prepared'")
    op.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_state_known, DROP CONSTRAINT orders_cancelled_once,"
        " ADD CONSTRAINT orders_state_known CHECK (state IN ('prepared', 'created')),"
        " DROP COLUMN cancel_reason, DROP COLUMN cancelled_at"
    )
