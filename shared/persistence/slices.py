"""A slice's row is the gate: who holds it may write its orders, and who finds it closed goes home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# Waits: whoever holds the row may only be counting an attempt, and two deliveries at once would both go home.
_CLAIM = text(
    "SELECT now() AS moment, (SELECT version FROM catalog_state) AS version FROM slices"
    " WHERE id = :id AND closed_at IS NULL FOR UPDATE"
)
_CLOSE = text(
    "UPDATE slices SET closed_at = now(), outcomes = :outcomes, ok_count = :ok, codes = CAST(:codes AS jsonb)"
    " WHERE id = :id"
)
_RELEASE = text("UPDATE slices SET attempts = GREATEST(attempts - 1, 0) WHERE id = :id AND closed_at IS NULL")
_CUT_UP = text(
    "INSERT INTO slices (job_id, number, first_position, order_count, body, repeated_numbers, queue,"
    " next_dispatch_at, started_at)"
    " SELECT whole.job_id, taken.highest + 1 + piece.nth, piece.position, 1, piece.body,"
    " CASE WHEN piece.repeated THEN ARRAY[piece.position] ELSE '{}' END, whole.queue, now(), whole.started_at"
    " FROM slices AS whole"
    " CROSS JOIN LATERAL"
    " (SELECT max(number) AS highest FROM slices WHERE job_id = whole.job_id) AS taken"
    " CROSS JOIN unnest(CAST(:offsets AS integer[]), CAST(:positions AS integer[]), CAST(:bodies AS bytea[]),"
    " CAST(:repeated AS boolean[])) AS piece(nth, position, body, repeated)"
    " WHERE whole.id = :id"
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


def release_slice(engine: Engine, slice_id: int) -> None:
    """Take back an attempt that ended in good order: only those count that ended their worker.

    It waits for whoever holds the slice: a count that is not taken back would condemn the slice one day.
    """
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(_RELEASE, {"id": slice_id})


def cut_up(connection: Connection, taken: TakenSlice, members: Sequence[tuple[str, bytes]]) -> None:
    """Put a slice of one order each in the place of a claimed one; they are due at once.

    ``members`` are its orders, {key: order} as JSON key and JSON value, in order.
    """
    # Two slices of one job that are cut up at once would choose the same numbers.
    connection.execute(text("SELECT FROM jobs WHERE id = :id FOR NO KEY UPDATE"), {"id": taken.job_id})
    positions = range(taken.first_position, taken.first_position + len(members))
    connection.execute(
        _CUT_UP,
        {
            "id": taken.id,
            "offsets": list(range(len(members))),
            "positions": list(positions),
            "bodies": [b"{%b:%b}" % (key.encode(), order) for key, order in members],
            "repeated": [position in taken.repeated_numbers for position in positions],
        },
    )
    connection.execute(text("DELETE FROM slices WHERE id = :id"), {"id": taken.id})


def claim_slice(connection: Connection, slice_id: int) -> Claim | None:
    """Lock the slice until the transaction ends, after another worker that holds it. None: it is closed."""
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
