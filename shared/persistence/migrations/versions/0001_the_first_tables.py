"""the first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE order_number_seq AS bigint")
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
        sa.UniqueConstraint("name", name=op.f("accounts_name_key")),
    )
    op.create_table(
        "allocation_rules",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("warehouse_ids", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("split", sa.Text(), server_default=sa.text("'none'"), nullable=False),
        sa.CheckConstraint(
            "split IN ('none', 'warehouse', 'availability')", name=op.f("allocation_rules_split_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("allocation_rules_pkey")),
        sa.UniqueConstraint("name", name=op.f("allocation_rules_name_key")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("market_ids", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("api_keys_hash_is_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("name", name=op.f("api_keys_name_key")),
        sa.UniqueConstraint("prefix", name=op.f("api_keys_prefix_key")),
    )
    op.create_table(
        "catalog_state",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint('"only"', name=op.f("catalog_state_one_row")),
        sa.PrimaryKeyConstraint("only", name=op.f("catalog_state_pkey")),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("registered_email", sa.Text(), nullable=True),
        sa.Column("reset_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("customers_pkey")),
        sa.UniqueConstraint("registered_email", name=op.f("customers_registered_email_key")),
    )
    op.create_table(
        "delivery_windows",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("preorder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("delivery_windows_pkey")),
        sa.UniqueConstraint("name", name=op.f("delivery_windows_name_key")),
    )
    op.create_table(
        "items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("ean", sa.Text(), nullable=True),
        sa.Column("upc", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("variant", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("size", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("brand", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("market_ids", sa.ARRAY(sa.Integer()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("items_pkey")),
        sa.UniqueConstraint("ean", name=op.f("items_ean_key")),
        sa.UniqueConstraint("sku", name=op.f("items_sku_key")),
        sa.UniqueConstraint("upc", name=op.f("items_upc_key")),
    )
    op.create_table(
        "pricelists",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("pricelists_currency_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pricelists_pkey")),
        sa.UniqueConstraint("name", name=op.f("pricelists_name_key")),
    )
    op.create_table(
        "shipping_options",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("countries", sa.ARRAY(sa.CHAR(length=2)), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("prices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("shipping_options_pkey")),
        sa.UniqueConstraint("uri", name=op.f("shipping_options_uri_key")),
    )
    op.create_table(
        "vouchers",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("amounts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("minimums", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("code IS NOT NULL OR name IS NOT NULL", name=op.f("vouchers_has_a_name")),
        sa.CheckConstraint("percent >= 0 AND percent <= 100", name=op.f("vouchers_percent_in_range")),
        sa.CheckConstraint(
            "used >= 0 AND (uses IS NULL OR used <= uses)", name=op.f("vouchers_never_overused")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("vouchers_pkey")),
        sa.UniqueConstraint("code", name=op.f("vouchers_code_key")),
        sa.UniqueConstraint("name", name=op.f("vouchers_name_key")),
    )
    op.create_table(
        "warehouses",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("threshold >= 0", name=op.f("warehouses_threshold_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("warehouses_pkey")),
        sa.UniqueConstraint("name", name=op.f("warehouses_name_key")),
    )
    op.create_table(
        "buyers",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("buyers_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("buyers_pkey")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pricelist_id", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("item_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint("percent >= 0 AND percent <= 100", name=op.f("campaigns_percent_in_range")),
        sa.ForeignKeyConstraint(
            ["pricelist_id"], ["pricelists.id"], name=op.f("campaigns_pricelist_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("campaigns_pkey")),
        sa.UniqueConstraint("name", name=op.f("campaigns_name_key")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("strict", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("total >= 0", name=op.f("jobs_total_not_negative")),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("jobs_api_key_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
    )
    op.create_index(op.f("jobs_expires_at_idx"), "jobs", ["expires_at"], unique=False)
    op.create_table(
        "markets",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("countries", sa.ARRAY(sa.CHAR(length=2)), nullable=False),
        sa.Column("pricelist_id", sa.Integer(), nullable=False),
        sa.Column("allocation_rule_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["allocation_rule_id"], ["allocation_rules.id"], name=op.f("markets_allocation_rule_id_fkey")
        ),
        sa.ForeignKeyConstraint(["pricelist_id"], ["pricelists.id"], name=op.f("markets_pricelist_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("markets_pkey")),
        sa.UniqueConstraint("name", name=op.f("markets_name_key")),
    )
    op.create_table(
        "orders",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("buyer_id", sa.Integer(), nullable=True),
        sa.Column("buyer_name", sa.Text(), nullable=True),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("pricelist_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("allocation_rule_id", sa.Integer(), nullable=False),
        sa.Column("invoice_address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivery_address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lines_total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("shipping_uri", sa.Text(), nullable=True),
        sa.Column("shipping_value", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("voucher_value", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("grand_total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("adjust_stock", sa.Boolean(), nullable=False),
        sa.Column("force_create", sa.Boolean(), nullable=False),
        sa.Column("internal_order", sa.Boolean(), nullable=False),
        sa.Column("send_email", sa.Boolean(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("internal_comment", sa.Text(), nullable=True),
        sa.Column("po_number", sa.Text(), nullable=True),
        sa.Column("order_date", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delivery_date", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancel_date", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivery_window", sa.Text(), nullable=True),
        sa.Column("origin", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("extra_attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "grand_total = lines_total + shipping_value - voucher_value AND grand_total >= 0 "
            "AND lines_total >= 0 AND shipping_value >= 0 AND voucher_value >= 0 AND grand_total < 'NaN'",
            name=op.f("orders_money_adds_up"),
        ),
        sa.CheckConstraint("state IN ('prepared', 'created')", name=op.f("orders_state_known")),
        sa.CheckConstraint("number >= 1", name=op.f("orders_number_positive")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("orders_customer_id_fkey")),
        sa.PrimaryKeyConstraint("number", name=op.f("orders_pkey")),
        sa.UniqueConstraint("job_id", "position", "part", name="orders_one_per_key"),
    )
    op.create_index(
        "orders_created_at_idx",
        "orders",
        [sa.literal_column("created_at DESC"), sa.literal_column("number DESC")],
        unique=False,
    )
    op.create_index(op.f("orders_customer_id_idx"), "orders", ["customer_id"], unique=False)
    op.create_table(
        "prices",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("pricelist_id", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.CheckConstraint("price >= 0 AND price < 'NaN'", name=op.f("prices_price_not_negative")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("prices_item_id_fkey")),
        sa.ForeignKeyConstraint(["pricelist_id"], ["pricelists.id"], name=op.f("prices_pricelist_id_fkey")),
        sa.PrimaryKeyConstraint("item_id", "pricelist_id", name=op.f("prices_pkey")),
    )
    op.create_table(
        "stock",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("physical", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "modified_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("allocated <= physical", name=op.f("stock_never_oversold")),
        sa.CheckConstraint("allocated >= 0", name=op.f("stock_allocated_not_negative")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("stock_item_id_fkey")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("stock_warehouse_id_fkey")),
        sa.PrimaryKeyConstraint("item_id", "warehouse_id", name=op.f("stock_pkey")),
    )
    op.create_table(
        "order_lines",
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("back_ordered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("original_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("item_text", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "unit_price >= 0 AND unit_price < 'NaN' AND original_price >= 0 AND original_price < 'NaN'",
            name=op.f("order_lines_prices_not_negative"),
        ),
        sa.CheckConstraint(
            "quantity >= 1 AND back_ordered >= 0 AND back_ordered <= quantity",
            name=op.f("order_lines_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["order_number"], ["orders.number"], name=op.f("order_lines_order_number_fkey")
        ),
        sa.PrimaryKeyConstraint("order_number", "line", name=op.f("order_lines_pkey")),
    )
    op.create_table(
        "slices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("order_count", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("repeated_numbers", sa.ARRAY(sa.Integer()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("next_dispatch_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("dispatches", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcomes", sa.LargeBinary(), nullable=True),
        sa.Column("ok_count", sa.Integer(), nullable=True),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcomes IS NULL) AND (closed_at IS NULL) = (ok_count IS NULL)",
            name=op.f("slices_closed_with_outcomes"),
        ),
        sa.CheckConstraint("order_count > 0", name=op.f("slices_not_empty")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("slices_job_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("slices_pkey")),
        sa.UniqueConstraint("job_id", "number", name=op.f("slices_job_id_number_key")),
    )
    op.create_index(
        "slices_undecided_idx",
        "slices",
        ["next_dispatch_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "allocations",
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("allocations_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["item_id", "warehouse_id"],
            ["stock.item_id", "stock.warehouse_id"],
            name=op.f("allocations_item_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["order_number", "line"],
            ["order_lines.order_number", "order_lines.line"],
            name=op.f("allocations_order_number_fkey"),
        ),
        sa.PrimaryKeyConstraint("order_number", "line", "warehouse_id", name=op.f("allocations_pkey")),
    )
    op.create_index(
        op.f("allocations_item_id_warehouse_id_idx"), "allocations", ["item_id", "warehouse_id"], unique=False
    )

    # Every slice updates stock rows in place: room on the page keeps that off the indexes.
    op.execute("ALTER TABLE stock SET (fillfactor = 70)")
    # A batch is written once and read about once: compressing it costs more than it saves.
    op.execute("ALTER TABLE slices ALTER COLUMN body SET STORAGE EXTERNAL")
    op.execute("INSERT INTO catalog_state DEFAULT VALUES")


def downgrade() -> None:
    op.drop_index(op.f("allocations_item_id_warehouse_id_idx"), table_name="allocations")
    op.drop_table("allocations")
    op.drop_index("slices_undecided_idx", table_name="slices", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("slices")
    op.drop_table("order_lines")
    op.drop_table("stock")
    op.drop_table("prices")
    op.drop_index(op.f("orders_customer_id_idx"), table_name="orders")
    op.drop_index("orders_created_at_idx", table_name="orders")
    op.drop_table("orders")
    op.drop_table("markets")
    op.drop_index(op.f("jobs_expires_at_idx"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("campaigns")
    op.drop_table("buyers")
    op.drop_table("warehouses")
    op.drop_table("vouchers")
    op.drop_table("shipping_options")
    op.drop_table("pricelists")
    op.drop_table("items")
    op.drop_table("delivery_windows")
    op.drop_table("customers")
    op.drop_table("catalog_state")
    op.drop_table("api_keys")
    op.drop_table("allocation_rules")
    op.drop_table("accounts")
    op.execute("DROP SEQUENCE order_number_seq")
