"""changes of orders

What is told of an order's changes is written by the tables themselves: no writer, of whatever version, can
forget it. The orders that there are become the feed's beginning.
"""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0027"
# The code of 0031 goes on: its orders are recorded by the triggers, and it lists them by another index.
serves = "0031"

_MOMENT = postgresql.TIMESTAMP(timezone=True)
# A dump that is loaded into another cluster, and a standby that is promoted, count transactions anew.
_SERVER = """
    CREATE FUNCTION change_feed_server() RETURNS text LANGUAGE sql STABLE AS $$
        SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        FROM pg_control_system()
    $$
"""
# In portions: whoever reads a place in a row has to read all of the row.
_RECORD = """
    CREATE FUNCTION record_order_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        recorded CONSTANT bigint[] := (SELECT array_agg(number) FROM changed);
        at_once CONSTANT integer := 1000;
    BEGIN
        FOR lowest IN 1 .. coalesce(cardinality(recorded), 0) BY at_once LOOP
            INSERT INTO order_changes (transaction_id, numbers) VALUES (
                CAST(CAST(pg_current_xact_id() AS text) AS bigint),
                recorded[lowest : lowest + at_once - 1]
            );
        END LOOP;
        RETURN NULL;
    END $$
"""
_STAMP = """
    CREATE FUNCTION stamp_order_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.modified_at := now();
        RETURN NEW;
    END $$
"""
_TRIGGERS = (
    """
    CREATE TRIGGER orders_made AFTER INSERT ON orders
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_order_changes()
    """,
    """
    CREATE TRIGGER orders_changed AFTER UPDATE ON orders
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_order_changes()
    """,
    """
    CREATE TRIGGER orders_stamped BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION stamp_order_change()
    """,
)
# By a transaction that comes before all others. From here on the table is locked against writers, so that
# none is missed between this and the triggers; it reads an index, a second for some million orders.
_BEGIN = """
    INSERT INTO order_changes (transaction_id, numbers)
    SELECT 0, array_agg(number ORDER BY created_at, number)
    FROM (
        SELECT number, created_at,
            (row_number() OVER (ORDER BY created_at DESC, number DESC) - 1) / 1000 AS portion
        FROM orders
    ) AS made
    GROUP BY portion ORDER BY portion DESC
"""


def upgrade() -> None:
    op.create_table(
        "order_changes",
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "id", name=op.f("order_changes_pkey")),
    )
    op.create_table(
        "change_feed",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only"', name=op.f("change_feed_one_row")),
        sa.PrimaryKeyConstraint("only", name=op.f("change_feed_pkey")),
    )
    op.execute(_SERVER)
    op.execute(_RECORD)
    op.execute(_STAMP)
    op.add_column("orders", sa.Column("modified_at", _MOMENT))
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(_BEGIN)
    op.execute(
        sa.text(
            "INSERT INTO change_feed (server, generation) VALUES (change_feed_server(), :generation)"
        ).bindparams(generation=secrets.randbits(53))
    )
    op.create_index(
        op.f("orders_modified_at_idx"),
        "orders",
        ["modified_at"],
        postgresql_where=sa.text("modified_at IS NOT NULL"),
    )
    op.create_index(
        op.f("orders_po_number_idx"),
        "orders",
        ["po_number"],
        postgresql_using="hash",
        postgresql_where=sa.text("po_number IS NOT NULL"),
    )
    op.create_index(op.f("orders_state_created_at_number_idx"), "orders", ["state", "created_at", "number"])
    op.drop_index("orders_created_at_idx", table_name="orders")
    op.create_index(
        op.f("customers_email_idx"), "customers", [sa.text("lower(email)")], postgresql_using="hash"
    )


def downgrade() -> None:
    op.drop_index(op.f("customers_email_idx"), table_name="customers")
    op.create_index("orders_created_at_idx", "orders", [sa.text("created_at DESC"), sa.text("number DESC")])
    op.drop_index(op.f("orders_state_created_at_number_idx"), table_name="orders")
    for trigger in ("orders_stamped", "orders_changed", "orders_made"):
        op.execute(f"DROP TRIGGER {trigger} ON orders")
    op.drop_column("orders", "modified_at")
    op.drop_index(op.f("orders_po_number_idx"), table_name="orders")
    for function in ("stamp_order_change", "record_order_changes", "change_feed_server"):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("change_feed")
    op.drop_table("order_changes")
