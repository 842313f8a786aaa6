"""idempotency keys"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("idempotency_key", sa.Text()))
    op.add_column("jobs", sa.Column("request_hash", sa.LargeBinary()))
    op.create_unique_constraint(
        op.f("jobs_api_key_id_idempotency_key_key"), "jobs", ["api_key_id", "idempotency_key"]
    )
    op.create_check_constraint(
        op.f("jobs_idempotency_key_with_hash"),
        "jobs",
        "(idempotency_key IS NULL) = (request_hash IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("jobs_idempotency_key_with_hash"), "jobs")
    op.drop_constraint(op.f("jobs_api_key_id_idempotency_key_key"), "jobs")
    op.drop_column("jobs", "request_hash")
    op.drop_column("jobs", "idempotency_key")
