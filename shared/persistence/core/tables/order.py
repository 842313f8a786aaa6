"""The tables of orders and of what belongs to them: customers, lines, allocations, payments, changes."""

from __future__ import annotations

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
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB

from shared.persistence.core.tables.base import Moment, Money, created_at, fits, metadata

customers = Table(
    "customers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("email", Text, nullable=False),
    # The mailbox (one spelling for all) where the customer is registered. NULL: made for one order, and
    # unseen by the registered customer of the same e-mail.
    Column("registered_email", Text, unique=True),
    Column("reset_password", Boolean, nullable=False, server_default=text("false")),
    created_at(),
    # Whose orders those of an e-mail are. A hash: an address may be longer than a row of another index.
    Index("customers_email_idx", text("lower(email)"), postgresql_using="hash"),
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
    # What took the voucher value off, on part 0: a list of objects of code or name, and value; and of the
    # voucher's id and whether a use of it was counted, where the order was made since these are kept.
    Column("vouchers", JSONB),
    Column("created_at", Moment, nullable=False),
    # When it was last changed; NULL: never since it was made. A trigger sets it at every change of the row.
    Column("modified_at", Moment),
    Column("cancelled_at", Moment),
    Column("cancel_reason", Text),
    # What makes a second set of orders for one batch key impossible.
    UniqueConstraint("job_id", "position", "part", name="orders_one_per_key"),
    CheckConstraint("number >= 1", name="number_positive"),
    CheckConstraint(
        "state IN ('prepared', 'created', 'partially_shipped', 'shipped', 'cancelled')", name="state_known"
    ),
    CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_once"),
    CheckConstraint(
        "grand_total = lines_total + shipping_value - voucher_value AND "
        + fits("lines_total", "shipping_value", "voucher_value", "grand_total"),
        name="money_adds_up",
    ),
    # The newest of each state; those of several are merged.
    Index(None, "state", "created_at", "number"),
    # Neither costs anything where there is nothing to be found.
    Index(None, "modified_at", postgresql_where=text("modified_at IS NOT NULL")),
    Index(None, "po_number", postgresql_using="hash", postgresql_where=text("po_number IS NOT NULL")),
    # Whose they are, and which is a customer's first.
    Index(None, "customer_id", "created_at"),
    Index(None, "account_id", "market_id", postgresql_where=text("account_id IS NOT NULL")),
    # What a key has made, whosever it is. A hash, for a key may be longer than an entry of an index.
    Index("orders_batch_key_idx", text("hashtextextended(batch_key, 0::bigint)"), "api_key_id"),
)

unique_keys = Table(
    # Keys under which an order was made, and may be no second, as their batches asked for. They are known by
    # the SHA-256 of their JSON. A transaction that is about to make one has its row first.
    "unique_keys",
    metadata,
    Column("client_id", Integer, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("client_id", "key_hash"),
    CheckConstraint("octet_length(key_hash) = 32", name="hash_is_sha256"),
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
    # With what words the item was sold: they are in item_versions, whatever becomes of the item.
    Column("item_version", Integer, nullable=False, server_default=text("0")),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("back_ordered", Integer, nullable=False, server_default=text("0")),
    Column("shipped", Integer, nullable=False, server_default=text("0")),
    Column("unit_price", Money, nullable=False),
    Column("original_price", Money, nullable=False),
    Column("comment", Text),
    Column("item_text", JSONB),
    PrimaryKeyConstraint("order_number", "line"),
    CheckConstraint(
        "quantity >= 1 AND back_ordered >= 0 AND shipped >= 0 AND back_ordered + shipped <= quantity",
        name="quantities",
    ),
    CheckConstraint(fits("unit_price", "original_price"), name="prices_not_negative"),
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
    created_at(),
    CheckConstraint("kind IN ('auth', 'capture')", name="kind_known"),
    CheckConstraint("(kind IS NULL) = (status IS NULL) AND (kind IS NULL) = (amount IS NULL)", name="whole"),
    CheckConstraint("status BETWEEN 0 AND 2", name="status_known"),
    CheckConstraint(fits("amount"), name="amount_not_negative"),
    Index(None, "order_number"),
    # However often the provider's notice of it is passed on.
    Index(
        "payments_one_per_transaction",
        "order_number",
        "kind",
        "transaction",
        unique=True,
        postgresql_where=text("transaction IS NOT NULL"),
    ),
)

# Which orders a transaction has made or changed; triggers on orders write it. A place in the feed of changes
# is a transaction, a row of it, and a number's place in the row, from 1.
order_changes = Table(
    "order_changes",
    metadata,
    # The transaction's id, from which the order follows in which changes became visible; 0: from before there
    # was a feed.
    Column("transaction_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(), nullable=False),
    Column("numbers", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("transaction_id", "id"),
)

change_feed = Table(
    "change_feed",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true")),
    # The server whose transactions the changes are told by: what another one counts means nothing here.
    Column("server", Text, nullable=False),
    # A number of its own for each beginning of the feed; a place in another one is no place in this.
    Column("generation", BigInteger, nullable=False),
    CheckConstraint('"only"', name="one_row"),
)
