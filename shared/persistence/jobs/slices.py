"""Slices, claimed and closed: who holds a slice's row may write its orders; once it is closed nobody may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.domain.batch_options import AS_USUAL, DecisionOptions
from shared.domain.kinds import JobForm
from shared.persistence.core.database import driver_of
from shared.persistence.core.errors import translated
from shared.persistence.jobs.dry_run import DryRun

_PORTION_BYTES = 1024 * 1024
"""Orders that are sent at once where a slice is cut up."""

# Waits: whoever holds a row may only be counting an attempt, and two deliveries at once would both leave it.
# In one order everywhere: two workers with the same slices must not wait for each other in a ring.
#
# The limits for what follows in the transaction come with it: a statement of their own is a round trip.
_CLAIM = text(
    "SELECT id, now() AS moment, (SELECT version FROM catalog_state) AS version,"
    " (SELECT cancel_requested_at FROM jobs WHERE jobs.id = job_id) IS NOT NULL AS cancelled"
    " FROM slices CROSS JOIN ("
    "SELECT set_config('lock_timeout', COALESCE(:lock_limit, current_setting('lock_timeout')), true),"
    " set_config('statement_timeout',"
    " COALESCE(:statement_limit, current_setting('statement_timeout')), true)) AS limits"
    " WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL ORDER BY id FOR UPDATE OF slices"
)
_WINDOW = "SELECT substring(body FROM %(first)s FOR %(size)s) FROM slices WHERE id = %(id)s"
_CUT_UP = text(
    "INSERT INTO slices (job_id, number, first_position, order_count, body, repeated_numbers, queue,"
    " next_dispatch_at, started_at)"
    " SELECT whole.job_id, taken.highest + 1 + piece.nth, piece.position, 1, piece.body,"
    " CASE WHEN piece.repeated THEN ARRAY[piece.position] ELSE '{}' END, whole.queue,"
    " CASE WHEN ordered AND piece.position > whole.first_position THEN NULL ELSE now() END, whole.started_at"
    " FROM slices AS whole JOIN jobs ON jobs.id = whole.job_id"
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
    order_count: int
    job_total: int
    body: bytes
    withheld: bool
    """Whether ``body`` was left where it is: the slice is too large, or has been attempted too often."""
    repeated_numbers: frozenset[int]
    attempts: int
    """This one included; but not one that was shared with other slices and ended its worker."""
    client_id: int
    api_key_id: int
    market_ids: frozenset[int] | None
    request_id: str
    strict: bool
    form: JobForm
    """What its members are, and whether their keys are the client's."""
    options: DecisionOptions = AS_USUAL
    """How the orders of its job are decided."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one try may cost, in whole milliseconds: waiting for a lock, and one statement."""

    lock_ms: int
    statement_ms: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The moment of the transaction that holds slices, the catalog's version in it, and which slices."""

    moment: datetime
    catalog_version: int
    slice_ids: frozenset[int]
    cancelled_ids: frozenset[int] = frozenset()
    """Those of them whose jobs are cancelled: nothing more of these may be decided."""
    dry_run: DryRun | None = None
    """Where all that is written from here on is taken back."""

    @property
    def earlier_numbers(self) -> Mapping[int, int]:
        """Order numbers that earlier slices of a dry run would have, each with its order's market."""
        return {} if self.dry_run is None else self.dry_run.numbers


def body_windows(connection: Connection, slice_id: int, window_bytes: int) -> Iterator[bytes]:
    """A slice's body in pieces of at most ``window_bytes``, so that no more of it is in memory."""
    first = 1
    # In binary: as text each byte is two.
    with translated(), driver_of(connection).cursor(binary=True) as cursor:
        while True:
            cursor.execute(_WINDOW, {"first": first, "size": window_bytes, "id": slice_id})
            row = cursor.fetchone()
            if row is None or not row[0]:
                return
            first += window_bytes
            yield row[0]


def cut_up(connection: Connection, taken: TakenSlice, members: Iterable[bytes]) -> int:
    """Put a slice of one order each in the place of a claimed one. Gives how many.

    They are due at once; of an ordered job only the first is, and the others when their turn has come.

    ``members`` are its orders in order, each as ``"key":order``; few of them are in memory at a time.
    """
    # Two slices of one job that are cut up at once would choose the same numbers.
    connection.execute(text("SELECT FROM jobs WHERE id = :id FOR NO KEY UPDATE"), {"id": taken.job_id})
    position = taken.first_position
    for portion in _portions(members):
        positions = range(position, position + len(portion))
        position = positions.stop
        connection.execute(
            _CUT_UP,
            {
                "id": taken.id,
                "offsets": list(range(len(portion))),
                "positions": list(positions),
                "bodies": [b"{%b}" % member for member in portion],
                "repeated": [at in taken.repeated_numbers for at in positions],
            },
        )
    connection.execute(text("DELETE FROM slices WHERE id = :id"), {"id": taken.id})
    return position - taken.first_position


def _portions(members: Iterable[bytes]) -> Iterator[list[bytes]]:
    portion: list[bytes] = []
    size = 0
    for member in members:
        portion.append(member)
        size += len(member)
        if size >= _PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def claim_slices(
    connection: Connection, slice_ids: Sequence[int], limits: Limits | None = None
) -> Claim | None:
    """Lock those slices that are not closed until the transaction ends, after any worker that holds one.

    ``limits`` hold for the statements that follow in it; None: those of the connection. None: all are closed.
    """
    wanted = {
        "ids": list(slice_ids),
        "lock_limit": None if limits is None else f"{limits.lock_ms}ms",
        "statement_limit": None if limits is None else f"{limits.statement_ms}ms",
    }
    rows = connection.execute(_CLAIM, wanted).all()
    if not rows:
        return None
    return Claim(
        rows[0].moment,
        rows[0].version,
        frozenset(row.id for row in rows),
        frozenset(row.id for row in rows if row.cancelled),
    )


def claim_slice(connection: Connection, slice_id: int) -> Claim | None:
    """Lock one slice in the same way."""
    return claim_slices(connection, [slice_id])
