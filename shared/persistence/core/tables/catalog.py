"""The tables of the catalog: loaded by upsert, never deleted from."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB

from shared.persistence.core.tables.base import Moment, Money, fits, metadata

catalog_state = Table(
    "catalog_state",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true")),
    # Bumped in the transaction of each load: a worker that has read this version may keep what it read.
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint('"only"', name="one_row"),
)

warehouses = Table(
    "warehouses",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Units that are never sold.
    Column("threshold", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("threshold >= 0", name="threshold_not_negative"),
)

allocation_rules = Table(
    "allocation_rules",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Warehouse ids in order of preference.
    Column("warehouse_ids", ARRAY(Integer), nullable=False),
    Column("split", Text, nullable=False, server_default=text("'none'")),
    CheckConstraint("split IN ('none', 'warehouse', 'availability')", name="split_known"),
)

pricelists = Table(
    "pricelists",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("currency", CHAR(3), nullable=False),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_code"),
)

markets = Table(
    "markets",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("countries", ARRAY(CHAR(2)), nullable=False),
    Column("pricelist_id", Integer, ForeignKey("pricelists.id"), nullable=False),
    Column("allocation_rule_id", Integer, ForeignKey("allocation_rules.id"), nullable=False),
)

shipping_options = Table(
    "shipping_options",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("uri", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("countries", ARRAY(CHAR(2)), nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    # Amounts as text by currency: 4.90 under EUR.
    Column("prices", JSONB, nullable=False),
)

items = Table(
    "items",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("sku", Text, nullable=False, unique=True),
    Column("ean", Text, unique=True),
    Column("upc", Text, unique=True),
    Column("product", Text, nullable=False, server_default=text("''")),
    Column("variant", Text, nullable=False, server_default=text("''")),
    Column("size", Text, nullable=False, server_default=text("''")),
    Column("brand", Text, nullable=False, server_default=text("''")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    # NULL: sold in every market.
    Column("market_ids", ARRAY(Integer)),
    # Counts how often its words have changed; of each there is a row of item_versions.
    Column("version", Integer, nullable=False, server_default=text("0")),
)

# The words of an item as they once were: triggers of items write them, and nobody changes them.
item_versions = Table(
    "item_versions",
    metadata,
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("ean", Text),
    Column("upc", Text),
    Column("product", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("size", Text, nullable=False),
    Column("brand", Text, nullable=False),
    PrimaryKeyConstraint("item_id", "version"),
    CheckConstraint("version >= 0", name="version_not_negative"),
)

prices = Table(
    "prices",
    metadata,
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Column("pricelist_id", Integer, ForeignKey("pricelists.id"), nullable=False),
    Column("price", Money, nullable=False),
    PrimaryKeyConstraint("item_id", "pricelist_id"),
    CheckConstraint(fits("price"), name="price_not_negative"),
)

stock = Table(
    "stock",
    metadata,
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Column("warehouse_id", Integer, ForeignKey("warehouses.id"), nullable=False),
    Column("physical", Integer, nullable=False),
    Column("allocated", Integer, nullable=False, server_default=text("0")),
    Column("modified_at", Moment, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("item_id", "warehouse_id"),
    CheckConstraint("allocated >= 0", name="allocated_not_negative"),
    CheckConstraint("allocated <= physical", name="never_oversold"),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("pricelist_id", Integer, ForeignKey("pricelists.id"), nullable=False),
    Column("percent", Numeric(5, 2), nullable=False),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    Column("item_ids", ARRAY(BigInteger), nullable=False),
    CheckConstraint("percent >= 0 AND percent <= 100", name="percent_in_range"),
)

vouchers = Table(
    "vouchers",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("code", Text, unique=True),
    # The code in the form in which codes are compared: no case, one form of Unicode.
    Column("code_key", Text, unique=True),
    Column("name", Text, unique=True),
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    Column("percent", Numeric(5, 2)),
    # Amounts as text by currency.
    Column("amounts", JSONB),
    Column("minimums", JSONB),
    Column("uses", Integer),
    Column("used", Integer, nullable=False, server_default=text("0")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    # NULL: orders of every market may have it.
    Column("market_ids", ARRAY(Integer)),
    CheckConstraint("used >= 0 AND (uses IS NULL OR used <= uses)", name="never_overused"),
    CheckConstraint("code IS NOT NULL OR name IS NOT NULL", name="has_a_name"),
    CheckConstraint("percent >= 0 AND percent <= 100", name="percent_in_range"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("address", JSONB),
)

buyers = Table(
    "buyers",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_id", "id"),
)

delivery_windows = Table(
    "delivery_windows",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("preorder", Boolean, nullable=False, server_default=text("false")),
)
