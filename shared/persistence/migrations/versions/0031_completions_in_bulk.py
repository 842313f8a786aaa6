"""completions in bulk

And a transaction of a payment is recorded once, on the order's first part.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0033"
# Serves no older code: its workers would take keyed completions for orders.

_TO_FIRST_PARTS = """
    UPDATE payments SET order_number = orders.first_number FROM orders
    WHERE orders.number = payments.order_number AND orders.first_number <> payments.order_number
"""
_LAST_ONES = """
    DELETE FROM payments AS earlier USING payments AS later
    WHERE later.order_number = earlier.order_number AND later.kind = earlier.kind
        AND later.transaction = earlier.transaction AND later.id > earlier.id
"""


def upgrade() -> None:
    op.drop_constraint(op.f("jobs_form_known"), "jobs", type_="check")
    op.create_check_constraint(
        op.f("jobs_form_known"), "jobs", "form IN ('batch', 'order', 'completions', 'completion')"
    )
    op.execute(_TO_FIRST_PARTS)
    op.execute(_LAST_ONES)
    op.create_index(
        op.f("payments_one_per_transaction"),
        "payments",
        ["order_number", "kind", "transaction"],
        unique=True,
        postgresql_where=sa.text("transaction IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("payments_one_per_transaction"), table_name="payments")
    op.drop_constraint(op.f("jobs_form_known"), "jobs", type_="check")
    op.execute("DELETE FROM jobs WHERE form = 'completions'")
    op.create_check_constraint(op.f("jobs_form_known"), "jobs", "form IN ('batch', 'order', 'completion')")
