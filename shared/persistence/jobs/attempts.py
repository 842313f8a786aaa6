"""Attempts at slices: counted before the work, apart from it, so that a crash takes none back.

Each has a name of its worker's, so that whoever asks again because a reply was lost counts once, and gives
back once. One that was shared with other slices does not count beside one that stands alone: whose fault it
was is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from shared.domain.batch_options import DecisionOptions
from shared.domain.kinds import JobForm
from shared.persistence.core.database import autocommit, binary_rows
from shared.persistence.jobs.slices import TakenSlice


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at slices, by its name. ``together``: it may be at several, that nobody has attempted."""

    token: UUID
    slice_ids: tuple[int, ...]
    together: bool = False
    instead_of: UUID | None = None
    """The attempt at several that goes on with this one, so that the two are one."""


@dataclass(frozen=True, slots=True)
class TakeLimits:
    """What a worker takes at once, and what it leaves in the database because it can only be cut up."""

    bytes_max: int
    attempts_max: int


# SKIP LOCKED: another worker has it in hand; if that one dies, it is dispatched again.
#
# Not waiting for the disk: only a crash of PostgreSQL could forget the count, and that is not what it counts.
# Said in the statement itself, which needs no BEGIN and COMMIT around it then.
#
# Of an ordered job only the first open slice is taken. Once none before it is open there never will be, so a
# look from outside of the transaction that settles it is enough.
#
# A job's moment, before which nothing is decided, does not keep it from being cancelled.
#
# The first slice is taken whatever its size. A body that is too large, or that has ended too many workers, is
# not even read: that may have been what ended them. That of an atomic batch is never too large, for it cannot
# be cut up; it is bounded where it is accepted.
_TAKE = """
    WITH hasty AS (SELECT set_config('synchronous_commit', 'off', true)),
    free AS (
        SELECT slices.id, octet_length(slices.body) AS size, jobs.client_id, jobs.api_key_id, jobs.request_id,
               jobs.total, jobs.strict, jobs.form, jobs.ordered, jobs.dry_run, jobs.atomic, jobs.unique_keys,
               jobs.max_failed
        FROM slices JOIN jobs ON jobs.id = slices.job_id
        WHERE slices.id = ANY(%(ids)s::bigint[]) AND closed_at IS NULL
          AND (NOT %(together)s
               OR (attempts = 0 OR %(token)s::uuid = ANY(attempt_tokens)) AND NOT (dry_run OR atomic))
          AND (not_before IS NULL OR not_before <= now() OR cancel_requested_at IS NOT NULL)
          AND NOT (ordered AND EXISTS (
              SELECT FROM slices AS earlier
              WHERE earlier.job_id = slices.job_id AND earlier.closed_at IS NULL
                AND earlier.first_position < slices.first_position
          ))
        ORDER BY slices.id FOR UPDATE OF slices SKIP LOCKED
    ),
    fitting AS (
        SELECT *, sum(size) OVER (ORDER BY id) AS size_so_far, row_number() OVER (ORDER BY id) AS nth
        FROM free
    )
    UPDATE slices
    SET attempts = attempts
            + CASE WHEN %(token)s::uuid = ANY(attempt_tokens) OR %(instead_of)s::uuid = ANY(attempt_tokens)
                   THEN 0 ELSE 1 END,
        attempt_tokens = CASE WHEN %(token)s::uuid = ANY(attempt_tokens) THEN attempt_tokens
                              WHEN %(instead_of)s::uuid = ANY(attempt_tokens)
                              THEN array_replace(attempt_tokens, %(instead_of)s::uuid, %(token)s::uuid)
                              ELSE attempt_tokens || %(token)s::uuid END,
        attempted_together = CASE WHEN %(instead_of)s::uuid = ANY(attempt_tokens) THEN false
                                  ELSE attempted_together OR %(together)s END,
        started_at = COALESCE(started_at, now())
    FROM hasty CROSS JOIN fitting JOIN api_keys ON api_keys.id = fitting.api_key_id
    WHERE slices.id = fitting.id AND (size_so_far <= %(bytes_max)s::bigint OR nth = 1)
    RETURNING slices.id, slices.job_id, slices.number, slices.first_position, slices.order_count,
              fitting.total AS job_total,
              CASE WHEN slices.attempts - slices.attempted_together::integer > %(attempts_max)s
                     OR size > %(bytes_max)s::bigint AND order_count > 1 AND NOT fitting.atomic
                   THEN NULL ELSE slices.body END AS body,
              slices.repeated_numbers, slices.attempts - slices.attempted_together::integer AS attempts,
              fitting.client_id, fitting.api_key_id, fitting.request_id, fitting.strict,
              fitting.form, fitting.ordered, fitting.dry_run, fitting.atomic, fitting.unique_keys,
              fitting.max_failed, api_keys.market_ids
"""
_UNDECIDED = text(
    "SELECT slices.id, attempts = 0 AND NOT (dry_run OR atomic) AS fresh"
    " FROM slices JOIN jobs ON jobs.id = slices.job_id"
    " WHERE slices.id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL ORDER BY attempts, slices.id"
)
_GIVE_BACK = text(
    "WITH hasty AS (SELECT set_config('synchronous_commit', 'off', true)),"
    " held AS (SELECT id FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL"
    " AND CAST(:token AS uuid) = ANY(attempt_tokens) ORDER BY id FOR UPDATE)"
    " UPDATE slices SET attempts = GREATEST(attempts - 1, 0),"
    " attempted_together = attempted_together AND NOT :together,"
    " attempt_tokens = array_remove(attempt_tokens, CAST(:token AS uuid))"
    " FROM hasty, held WHERE slices.id = held.id"
)


def take_slices(engine: Engine, attempt: Attempt, limits: TakeLimits) -> list[TakenSlice]:
    """Count the attempt at each of its slices, in a transaction of its own, and read them; by id, ascending.

    Left out: what is closed, gone or in somebody's hand, what does not fit, what comes before its job's
    moment, and of an ordered job all but the first open slice. Of an attempt at several also what has been
    attempted before, and slices of dry runs and of atomic batches. The same attempt again counts no more.
    """
    wanted = {
        "ids": list(attempt.slice_ids),
        "together": attempt.together,
        "token": attempt.token,
        "instead_of": attempt.instead_of,
        "bytes_max": limits.bytes_max,
        "attempts_max": limits.attempts_max,
    }
    with autocommit(engine) as connection:
        rows = binary_rows(connection, _TAKE, wanted)
    return sorted((_taken(row) for row in rows), key=lambda taken: taken.id)


def _taken(row: Any) -> TakenSlice:
    return TakenSlice(
        id=row.id,
        job_id=row.job_id,
        number=row.number,
        first_position=row.first_position,
        order_count=row.order_count,
        job_total=row.job_total,
        body=row.body or b"",
        withheld=row.body is None,
        repeated_numbers=frozenset(row.repeated_numbers),
        attempts=row.attempts,
        client_id=row.client_id,
        api_key_id=row.api_key_id,
        market_ids=None if row.market_ids is None else frozenset(row.market_ids),
        request_id=row.request_id,
        strict=row.strict,
        form=JobForm(row.form),
        options=DecisionOptions(
            dry_run=row.dry_run,
            atomic=row.atomic,
            ordered=row.ordered,
            unique_keys=row.unique_keys,
            max_failed=row.max_failed,
        ),
    )


@dataclass(frozen=True, slots=True)
class Undecided:
    """Slices that are not closed; of the others those that were attempted least come first."""

    fresh: list[int]
    """Nobody has attempted them, so they may be settled together."""
    others: list[int]


def undecided_slices(engine: Engine, slice_ids: Sequence[int]) -> Undecided:
    """Which of these slices are not closed."""
    with autocommit(engine) as connection:
        rows = connection.execute(_UNDECIDED, {"ids": list(slice_ids)}).all()
    return Undecided([row.id for row in rows if row.fresh], [row.id for row in rows if not row.fresh])


def give_back(engine: Engine, attempt: Attempt) -> None:
    """Take back an attempt that ended in good order: only those count that ended their worker.

    It waits for whoever holds a slice that counts it: a count that is not taken back would condemn the slice
    one day. Asked for twice, it is done once.
    """
    wanted = {"ids": list(attempt.slice_ids), "token": attempt.token, "together": attempt.together}
    with autocommit(engine) as connection:
        connection.execute(_GIVE_BACK, wanted)
