"""A slice's row is the gate: who holds it may write its orders, and who finds it closed goes home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

# Waits: whoever holds a row may only be counting an attempt, and two deliveries at once would both go home.
# In one order everywhere: two workers with the same slices must not wait for each other in a ring.
_CLAIM = text(
    "SELECT id, now() AS moment, (SELECT version FROM catalog_state) AS version FROM slices"
    " WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL ORDER BY id FOR UPDATE"
)
_CLOSE = text(
    "UPDATE slices SET closed_at = now(), outcomes = closed.outcomes, ok_count = closed.ok,"
    " codes = CAST(closed.codes AS jsonb)"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS bytea[]), CAST(:oks AS integer[]),"
    " CAST(:codes AS text[])) AS closed(id, outcomes, ok, codes)"
    " WHERE slices.id = closed.id"
)
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
    """The moment of the transaction that holds slices, the catalog's version in it, and which slices."""

    moment: datetime
    catalog_version: int
    slice_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class ClosedSlice:
    """What a slice came to. ``outcomes`` is one JSON object, {key: outcome, …}, in order."""

    id: int
    outcomes: bytes
    ok_count: int
    codes: Mapping[str, int]


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


def claim_slices(connection: Connection, slice_ids: Sequence[int]) -> Claim | None:
    """Lock those slices that are not closed until the transaction ends, after any worker that holds one.

    None: all are closed.
    """
    rows = connection.execute(_CLAIM, {"ids": list(slice_ids)}).all()
    return Claim(rows[0].moment, rows[0].version, frozenset(row.id for row in rows)) if rows else None


def claim_slice(connection: Connection, slice_id: int) -> Claim | None:
    """Lock one slice in the same way."""
    return claim_slices(connection, [slice_id])


def close_slices(connection: Connection, closed: Sequence[ClosedSlice]) -> None:
    """Write the outcomes of slices that this transaction has claimed."""
    connection.execute(
        _CLOSE,
        {
            "ids": [one.id for one in closed],
            "outcomes": [one.outcomes for one in closed],
            "oks": [one.ok_count for one in closed],
            "codes": [orjson.dumps(one.codes).decode() for one in closed],
        },
    )
