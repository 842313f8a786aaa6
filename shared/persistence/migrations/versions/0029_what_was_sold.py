"""what was sold

An order's line says which version of its item was sold; a version has the words of the item of its day. The
lines that there are have version 0, which is each item as it is now: the column's default says so, and no
row of them is written. A change of an item's words makes its next version, whoever makes the change: hence
triggers, which hold for processes of an earlier version too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0025"
# Older code goes on. What it sells after an item's words have been changed is told in those of now.
serves = "0019"

_COPIED = "ean, upc, product, variant, size, brand"


def upgrade() -> None:
    # First, and alone: who reads orders locks their lines before the items.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE order_lines ADD COLUMN IF NOT EXISTS item_version integer DEFAULT 0 NOT NULL")
    op.create_table(
        "item_versions",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ean", sa.Text()),
        sa.Column("upc", sa.Text()),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("product", "variant", "size", "brand")),
        sa.CheckConstraint("version >= 0", name=op.f("item_versions_version_not_negative")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("item_versions_item_id_fkey")),
        sa.PrimaryKeyConstraint("item_id", "version", name=op.f("item_versions_pkey")),
    )
    op.add_column("items", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute(f"INSERT INTO item_versions (item_id, version, {_COPIED}) SELECT id, 0, {_COPIED} FROM items")  # noqa: S608 - our own columns
    for statement in _TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    for name in ("items_next_version", "items_keep_new", "items_keep_changed"):
        op.execute(f"DROP TRIGGER {name} ON items")
    for name in ("next_item_version", "keep_new_item_versions", "keep_changed_item_versions"):
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("item_versions")
    op.drop_column("items", "version")
    op.drop_column("order_lines", "item_version")


_TRIGGERS = (
    """
    CREATE FUNCTION next_item_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.version := OLD.version + 1;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER items_next_version BEFORE UPDATE ON items FOR EACH ROW
    WHEN ((OLD.ean, OLD.upc, OLD.product, OLD.variant, OLD.size, OLD.brand)
          IS DISTINCT FROM (NEW.ean, NEW.upc, NEW.product, NEW.variant, NEW.size, NEW.brand))
    EXECUTE FUNCTION next_item_version()
    """,
    # A statement at a time: a load writes 100,000 items in one.
    f"""
    CREATE FUNCTION keep_new_item_versions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO item_versions (item_id, version, {_COPIED})
        SELECT id, version, {_COPIED} FROM made;
        RETURN NULL;
    END $$
    """,  # noqa: S608 - our own columns
    """
    CREATE TRIGGER items_keep_new AFTER INSERT ON items REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION keep_new_item_versions()
    """,
    f"""
    CREATE FUNCTION keep_changed_item_versions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO item_versions (item_id, version, {_COPIED})
        SELECT id, version, {_COPIED} FROM made
        WHERE NOT EXISTS (
            SELECT FROM item_versions AS kept WHERE kept.item_id = made.id AND kept.version = made.version
        );
        RETURN NULL;
    END $$
    """,  # noqa: S608 - our own columns
    """
    CREATE TRIGGER items_keep_changed AFTER UPDATE ON items REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION keep_changed_item_versions()
    """,
)
