"""The table of API keys: who may call."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Column, Identity, Integer, LargeBinary, Table, Text

from shared.persistence.core.tables.base import Moment, created_at, metadata

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
    created_at(),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    CheckConstraint("octet_length(hash) = 32", name="hash_is_sha256"),
)
