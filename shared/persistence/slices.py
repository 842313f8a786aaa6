"""A slice's row is the gate: who holds it may write its orders, and who finds it closed goes home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, text

from shared.persistence.database import transaction

# SKIP LOCKED: another worker has it in hand; if that one dies, it is dispatched again.
_TAKE = text(
    "UPDATE slices SET attempts = attempts + 1, started_at = COALESCE(started_at, now())"
    " FROM jobs JOIN api_keys ON api_keys.id = jobs.api_key_id"
    " WHERE jobs.id = slices.job_id AND slices.id ="
    " (SELECT id FROM slices WHERE id = :id AND closed_at IS NULL FOR UPDATE SKIP LOCKED)"
    " RETURNING slices.job_id, slices.number, slices.first_position, slices.body, slices.repeated_numbers,"
    " slices.attempts, jobs.api_key_id, jobs.request_id, jobs.strict, jobs.form, api_keys.market_ids"
)
_CLAIM = text(
    "SELECT now() AS moment, (SELECT version FROM catalog_state) AS version FROM slices"
    " WHERE id = :id AND closed_at IS NULL FOR UPDATE SKIP LOCKED"
)
_CLOSE = text(
    "UPDATE slices SET closed_at = now(), outcomes = :outcomes, ok_count = :ok, codes = CAST(:codes AS jsonb)"
    " WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class TakenSlice:
    """A slice in a worker's hand, not yet claimed. ``body`` is one JSON object, {key: order, …}."""

    id: int
    job_id: UUID
    number: int
    first_position: int
    body: bytes
    repeated_numbers: frozenset[int]
    attempts: int
    api_key_id: int
    market_ids: frozenset[int] | None
    request_id: str
    strict: bool
    form: str
    """batch, order or completion: what its members are."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The moment of the transaction that holds a slice, and the catalog's version in it."""

    moment: datetime
    catalog_version: int


def take_slice(engine: Engine, slice_id: int) -> TakenSlice | None:
    """Count an attempt, in a transaction of its own, and read the slice. None: closed, gone or in hand."""
    with transaction(engine) as connection:
        # Only a crash of PostgreSQL could forget the count, and that is not what it counts.
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        row = connection.execute(_TAKE, {"id": slice_id}).one_or_none()
    if row is None:
        return None
    return TakenSlice(
        id=slice_id,
        job_id=row.job_id,
        number=row.number,
        first_position=row.first_position,
        body=bytes(row.body),
        repeated_numbers=frozenset(row.repeated_numbers),
        attempts=row.attempts,
        api_key_id=row.api_key_id,
        market_ids=None if row.market_ids is None else frozenset(row.market_ids),
        request_id=row.request_id,
        strict=row.strict,
        form=row.form,
    )


def claim_slice(connection: Connection, slice_id: int) -> Claim | None:
    """Lock the slice until the transaction ends. None: it is closed, or another worker holds it."""
    row = connection.execute(_CLAIM, {"id": slice_id}).one_or_none()
    return None if row is None else Claim(row.moment, row.version)


def close_slice(
    connection: Connection, slice_id: int, outcomes: bytes, ok_count: int, codes: Mapping[str, int]
) -> None:
    """Write the outcomes of a slice that this transaction has claimed: {key: outcome, …}, in order."""
    connection.execute(
        _CLOSE,
        {"id": slice_id, "outcomes": outcomes, "ok": ok_count, "codes": orjson.dumps(codes).decode()},
    )
