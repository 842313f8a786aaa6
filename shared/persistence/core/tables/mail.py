"""The table of confirmations: the e-mails that are to be sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, func, text

from shared.persistence.core.tables.base import Moment, created_at, metadata

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
    created_at(),
    Index(
        "confirmations_waiting_idx",
        "next_try_at",
        postgresql_where=text("handed_over_at IS NULL AND fault IS NULL"),
    ),
)
