"""The tables of shipments: what of an order has left, and from where."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.persistence.core.tables.base import Moment, created_at, metadata

shipment_number_sequence = Sequence("shipment_number_seq", metadata=metadata, data_type=BigInteger)

shipments = Table(
    "shipments",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("order_number", BigInteger, ForeignKey("orders.number"), nullable=False),
    # Where it came from. The job may be pruned, the shipment stays.
    Column("job_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("shipped_at", Moment, nullable=False),
    Column("carrier", Text),
    Column("service", Text),
    Column("tracking", Text),
    # The client's own name for it.
    Column("reference", Text),
    created_at(),
    # What makes a second shipment for one batch key impossible.
    UniqueConstraint("job_id", "position", name="shipments_one_per_key"),
    CheckConstraint("number >= 1", name="number_positive"),
    # And a second one of the same reference; also whose they are.
    Index("shipments_one_per_reference", "order_number", "reference", unique=True),
)

shipment_lines = Table(
    "shipment_lines",
    metadata,
    Column("shipment_number", BigInteger, ForeignKey("shipments.number"), nullable=False),
    Column("order_number", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    # NULL: the order takes no stock.
    Column("warehouse_id", Integer),
    Column("quantity", Integer, nullable=False),
    ForeignKeyConstraint(["order_number", "line"], ["order_lines.order_number", "order_lines.line"]),
    CheckConstraint("quantity >= 1", name="quantity_positive"),
    # What has shipped of an order; also asked by the foreign key when a line goes.
    Index(None, "order_number", "line"),
    Index(
        "shipment_lines_one_per_warehouse",
        "shipment_number",
        "line",
        text("COALESCE(warehouse_id, 0)"),
        unique=True,
    ),
)
