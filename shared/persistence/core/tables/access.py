"""The tables of clients and of their API keys: who may call."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from shared.persistence.core.tables.base import Moment, created_at, metadata

clients = Table(
    # Whoever calls: what is remembered of them is the client's, whichever of its keys they show.
    "clients",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    created_at(),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("client_id", Integer, ForeignKey("clients.id"), nullable=False),
    Column("name", Text, nullable=False, unique=True),
    # The readable start of the key, by which it is found.
    Column("prefix", Text, nullable=False, unique=True),
    # SHA-256 of the whole key.
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # NULL: every market.
    Column("market_ids", ARRAY(Integer)),
    created_at(),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    # For what names a key and its client.
    UniqueConstraint("client_id", "id"),
    CheckConstraint("octet_length(hash) = 32", name="hash_is_sha256"),
)
