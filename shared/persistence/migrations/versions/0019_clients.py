"""clients

Whoever calls is a client, and may have several keys. Each key that there is becomes that of a client of its
own, by its name and its id: what counts requests, and what a key has promised, goes on where it was.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("clients_pkey")),
        sa.UniqueConstraint("name", name=op.f("clients_name_key")),
    )
    op.execute("""
        INSERT INTO clients (id, name, created_at) OVERRIDING SYSTEM VALUE
        SELECT id, name, created_at FROM api_keys
    """)
    op.execute("SELECT setval('clients_id_seq', max(id)) FROM clients HAVING max(id) IS NOT NULL")
    op.add_column("api_keys", sa.Column("client_id", sa.Integer()))
    op.execute("UPDATE api_keys SET client_id = id")
    op.alter_column("api_keys", "client_id", nullable=False)
    op.create_foreign_key(op.f("api_keys_client_id_fkey"), "api_keys", "clients", ["client_id"], ["id"])
    op.create_unique_constraint(op.f("api_keys_client_id_id_key"), "api_keys", ["client_id", "id"])
    op.add_column("jobs", sa.Column("client_id", sa.Integer()))
    op.execute("UPDATE jobs SET client_id = api_key_id")
    op.alter_column("jobs", "client_id", nullable=False)
    op.drop_constraint(op.f("jobs_api_key_id_fkey"), "jobs")
    op.create_foreign_key(
        op.f("jobs_client_id_fkey"), "jobs", "api_keys", ["client_id", "api_key_id"], ["client_id", "id"]
    )
    op.drop_constraint(op.f("jobs_api_key_id_idempotency_key_key"), "jobs")
    op.create_unique_constraint(
        op.f("jobs_client_id_idempotency_key_key"), "jobs", ["client_id", "idempotency_key"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("jobs_client_id_idempotency_key_key"), "jobs")
    op.create_unique_constraint(
        op.f("jobs_api_key_id_idempotency_key_key"), "jobs", ["api_key_id", "idempotency_key"]
    )
    op.drop_constraint(op.f("jobs_client_id_fkey"), "jobs")
    op.create_foreign_key(op.f("jobs_api_key_id_fkey"), "jobs", "api_keys", ["api_key_id"], ["id"])
    op.drop_column("jobs", "client_id")
    op.drop_constraint(op.f("api_keys_client_id_id_key"), "api_keys")
    op.drop_constraint(op.f("api_keys_client_id_fkey"), "api_keys")
    op.drop_column("api_keys", "client_id")
    op.drop_table("clients")
