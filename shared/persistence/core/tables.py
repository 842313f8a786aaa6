"""The tables, with every "must never happen" as a named constraint.

A table's rows are written in bulk and read in bulk, so there are no mapped classes. Text that a client chose
freely and that may hold U+0000 (a batch's key) is kept as JSON text, where it is escaped.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

# No scale of its own: numeric(15, 3) rounds in silence what has more decimals; the constraints refuse it.
Money = Numeric()
Moment = TIMESTAMP(timezone=True)


def _fits(*columns: str) -> str:
    """Whether amounts fit NUMERIC(15, 3) and are none below 0: as a condition, for a constraint."""
    return " AND ".join(f"{one} >= 0 AND {one} < 1000000000000 AND scale({one}) <= 3" for one in columns)


def _now() -> Column[datetime]:
    return Column("created_at", Moment, nullable=False, server_default=func.now())


# -- the catalog: loaded by upsert, never deleted from ------------------------------------------------------

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
)

prices = Table(
    "prices",
    metadata,
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Column("pricelist_id", Integer, ForeignKey("pricelists.id"), nullable=False),
    Column("price", Money, nullable=False),
    PrimaryKeyConstraint("item_id", "pricelist_id"),
    CheckConstraint(_fits("price"), name="price_not_negative"),
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

# -- who may ------------------------------------------------------------------------------------------------

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # The readable start of the key, by which it is found.
    Column("prefix", Text, nullable=False, unique=True),
    # SHA-256 of the whole key.
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # NULL: every market.
    Column("market_ids", ARRAY(Integer)),
    _now(),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    CheckConstraint("octet_length(hash) = 32", name="hash_is_sha256"),
)

# -- the promises -------------------------------------------------------------------------------------------

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("api_key_id", Integer, ForeignKey("api_keys.id"), nullable=False),
    Column("request_id", Text, nullable=False),
    Column("total", Integer, nullable=False),
    # Prefer: handling=strict, where an unknown field is an error.
    Column("strict", Boolean, nullable=False, server_default=text("false")),
    # What was asked for: a keyed batch, one order without a key, or the completion of a prepared one.
    Column("form", Text, nullable=False, server_default=text("'batch'")),
    # The client's Idempotency-Key and the SHA-256 of what it asked for with it.
    Column("idempotency_key", Text),
    Column("request_hash", LargeBinary),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # Whether its slices still have what was sent.
    Column("bodies_kept", Boolean, nullable=False, server_default=text("true")),
    # NULLs differ: a job without an Idempotency-Key is like no other.
    UniqueConstraint("api_key_id", "idempotency_key"),
    CheckConstraint("(idempotency_key IS NULL) = (request_hash IS NULL)", name="idempotency_key_with_hash"),
    CheckConstraint("total >= 0", name="total_not_negative"),
    CheckConstraint("form IN ('batch', 'order', 'completion')", name="form_known"),
    Index(None, "expires_at"),
    Index("jobs_bodies_kept_idx", "created_at", postgresql_where=text("bodies_kept")),
)

slices = Table(
    "slices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # The slice's place in the job, from 0.
    Column("number", Integer, nullable=False),
    # The place of its first order in the batch, from 0.
    Column("first_position", Integer, nullable=False),
    Column("order_count", Integer, nullable=False),
    # Its part of the batch: one JSON object, {key: order, ...}, each order byte for byte as sent. NULL: the
    # job ended days ago, and what was sent is kept no longer.
    Column("body", LargeBinary),
    # Positions whose orderNumber stands earlier in the same batch.
    Column("repeated_numbers", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    # Which of the queues carries it: the Celery queue's name.
    Column("queue", Text, nullable=False),
    Column("next_dispatch_at", Moment, nullable=False),
    Column("dispatches", Integer, nullable=False, server_default=text("0")),
    # Counted in a transaction of its own, before the work: a crash must not take the count back.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # The names of the attempts that are counted, each given by the worker that made it: asking for one again
    # counts once, and so does giving it back.
    Column("attempt_tokens", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    # Whether one of them was shared with other slices; that it ended its worker is not held against this one.
    Column("attempted_together", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", Moment),
    Column("closed_at", Moment),
    # Its part of the answer: one JSON object, {key: outcome, ...}.
    Column("outcomes", LargeBinary),
    Column("ok_count", Integer),
    # {"-2": 3}: rejections by code.
    Column("codes", JSONB),
    UniqueConstraint("job_id", "number"),
    CheckConstraint("order_count > 0", name="not_empty"),
    CheckConstraint(
        "(closed_at IS NULL) = (outcomes IS NULL) AND (closed_at IS NULL) = (ok_count IS NULL)",
        name="closed_with_outcomes",
    ),
    CheckConstraint("closed_at IS NOT NULL OR body IS NOT NULL", name="undecided_has_its_body"),
    Index("slices_undecided_idx", "next_dispatch_at", postgresql_where=text("closed_at IS NULL")),
)

# -- what came of them --------------------------------------------------------------------------------------

customers = Table(
    "customers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("email", Text, nullable=False),
    # The mailbox (one spelling for all) where the customer is registered. NULL: made for one order, and
    # unseen by the registered customer of the same e-mail.
    Column("registered_email", Text, unique=True),
    Column("reset_password", Boolean, nullable=False, server_default=text("false")),
    _now(),
)

# Automatic order numbers; explicit ones may run ahead of it and are stepped around.
order_number_sequence = Sequence("order_number_seq", metadata=metadata, data_type=BigInteger)

orders = Table(
    "orders",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # prepared: checked and numbered by createOnly, nothing taken yet.
    Column("state", Text, nullable=False),
    # Where it came from. The job may be pruned, the order stays.
    Column("job_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    # The batch's key as JSON text, so that U+0000 fits.
    Column("batch_key", Text, nullable=False),
    Column("api_key_id", Integer, nullable=False),
    # Parts of one order request count from 0; each names the number of part 0.
    Column("part", SmallInteger, nullable=False),
    Column("first_number", BigInteger, nullable=False),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("account_id", Integer),
    Column("buyer_id", Integer),
    Column("buyer_name", Text),
    Column("market_id", Integer, nullable=False),
    Column("pricelist_id", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("allocation_rule_id", Integer, nullable=False),
    Column("invoice_address", JSONB, nullable=False),
    Column("delivery_address", JSONB, nullable=False),
    Column("lines_total", Money, nullable=False),
    Column("shipping_uri", Text),
    Column("shipping_value", Money, nullable=False),
    Column("voucher_value", Money, nullable=False),
    Column("grand_total", Money, nullable=False),
    Column("adjust_stock", Boolean, nullable=False),
    Column("force_create", Boolean, nullable=False),
    Column("internal_order", Boolean, nullable=False),
    Column("send_email", Boolean),
    Column("comment", Text),
    Column("internal_comment", Text),
    Column("po_number", Text),
    Column("order_date", Moment, nullable=False),
    Column("delivery_date", Moment),
    Column("cancel_date", Moment),
    Column("delivery_window", Text),
    # An object of type and id.
    Column("origin", JSONB),
    Column("extra_attributes", JSONB),
    # Whether automatic vouchers were wanted.
    Column("apply_vouchers", Boolean, nullable=False, server_default=text("true")),
    # What took the voucher value off, on part 0: a list of objects of code or name, and value.
    Column("vouchers", JSONB),
    Column("created_at", Moment, nullable=False),
    # What makes a second set of orders for one batch key impossible.
    UniqueConstraint("job_id", "position", "part", name="orders_one_per_key"),
    CheckConstraint("number >= 1", name="number_positive"),
    CheckConstraint("state IN ('prepared', 'created')", name="state_known"),
    CheckConstraint(
        "grand_total = lines_total + shipping_value - voucher_value AND "
        + _fits("lines_total", "shipping_value", "voucher_value", "grand_total"),
        name="money_adds_up",
    ),
    Index("orders_created_at_idx", text("created_at DESC"), text("number DESC")),
    Index(None, "customer_id"),
    Index(None, "account_id", "market_id", postgresql_where=text("account_id IS NOT NULL")),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_number", BigInteger, ForeignKey("orders.number"), nullable=False),
    # The line's place in the order request, from 0.
    Column("line", Integer, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    # NULL: an unknown product that forceCreate let in.
    Column("item_id", BigInteger),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("back_ordered", Integer, nullable=False, server_default=text("0")),
    Column("unit_price", Money, nullable=False),
    Column("original_price", Money, nullable=False),
    Column("comment", Text),
    Column("item_text", JSONB),
    PrimaryKeyConstraint("order_number", "line"),
    CheckConstraint("quantity >= 1 AND back_ordered >= 0 AND back_ordered <= quantity", name="quantities"),
    CheckConstraint(_fits("unit_price", "original_price"), name="prices_not_negative"),
    # What waits for an item; it costs nothing where nothing waits.
    Index("order_lines_back_ordered_idx", "item_id", postgresql_where=text("back_ordered > 0")),
)

allocations = Table(
    "allocations",
    metadata,
    Column("order_number", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("warehouse_id", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    PrimaryKeyConstraint("order_number", "line", "warehouse_id"),
    ForeignKeyConstraint(["order_number", "line"], ["order_lines.order_number", "order_lines.line"]),
    ForeignKeyConstraint(["item_id", "warehouse_id"], ["stock.item_id", "stock.warehouse_id"]),
    CheckConstraint("quantity >= 1", name="quantity_positive"),
    Index(None, "item_id", "warehouse_id"),
)

payments = Table(
    "payments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # Part 0 of a split order carries its payments.
    Column("order_number", BigInteger, ForeignKey("orders.number"), nullable=False),
    # The payment method's id, as the client numbers them.
    Column("method_id", Integer),
    # What happened: an authorisation, a capture, or neither yet.
    Column("kind", Text),
    Column("status", SmallInteger),
    Column("amount", Money),
    Column("response", Text),
    Column("transaction", Text),
    Column("method", Text),
    Column("external_url", Text),
    _now(),
    CheckConstraint("kind IN ('auth', 'capture')", name="kind_known"),
    CheckConstraint("(kind IS NULL) = (status IS NULL) AND (kind IS NULL) = (amount IS NULL)", name="whole"),
    CheckConstraint("status BETWEEN 0 AND 2", name="status_known"),
    CheckConstraint(_fits("amount"), name="amount_not_negative"),
    Index(None, "order_number"),
)

confirmations = Table(
    # The e-mails to be sent: one per order request at most, written in the transaction that makes the order.
    "confirmations",
    metadata,
    Column("order_number", BigInteger, ForeignKey("orders.number"), primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", Moment, nullable=False, server_default=func.now()),
    # Set, and committed, before the mail is handed over: after that it is never sent again.
    Column("handed_over_at", Moment),
    # Why it was given up, or what the server said.
    Column("fault", Text),
    _now(),
    Index(
        "confirmations_waiting_idx",
        "next_try_at",
        postgresql_where=text("handed_over_at IS NULL AND fault IS NULL"),
    ),
)
