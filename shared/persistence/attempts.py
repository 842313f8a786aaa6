"""Attempts at slices: counted before the work, apart from it, so that a crash takes none back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from shared.persistence.errors import translated
from shared.persistence.slices import TakenSlice

# SKIP LOCKED: another worker has it in hand; if that one dies, it is dispatched again.
#
# Not waiting for the disk: only a crash of PostgreSQL could forget the count, and that is not what it counts.
# Said in the statement itself, which needs no BEGIN and COMMIT around it then.
_TAKE = text(
    "WITH hasty AS (SELECT set_config('synchronous_commit', 'off', true)),"
    " free AS (SELECT slices.id, jobs.api_key_id, jobs.request_id, jobs.strict, jobs.form"
    " FROM slices JOIN jobs ON jobs.id = slices.job_id"
    " WHERE slices.id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL"
    " AND (NOT :fresh OR attempts = 0 AND form <> 'completion')"
    " ORDER BY slices.id FOR UPDATE OF slices SKIP LOCKED)"
    " UPDATE slices SET attempts = attempts + 1, started_at = COALESCE(started_at, now())"
    " FROM hasty CROSS JOIN free JOIN api_keys ON api_keys.id = free.api_key_id"
    " WHERE slices.id = free.id"
    " RETURNING slices.id, slices.job_id, slices.number, slices.first_position, slices.body,"
    " slices.repeated_numbers, slices.attempts, free.api_key_id, free.request_id, free.strict, free.form,"
    " api_keys.market_ids"
)
_UNDECIDED = text(
    "SELECT id FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL ORDER BY attempts, id"
)
_RELEASE = text(
    "WITH hasty AS (SELECT set_config('synchronous_commit', 'off', true)),"
    " held AS (SELECT id FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) AND closed_at IS NULL"
    " ORDER BY id FOR UPDATE)"
    " UPDATE slices SET attempts = GREATEST(attempts - 1, 0) FROM hasty, held WHERE slices.id = held.id"
)


def take_slices(engine: Engine, slice_ids: Sequence[int], *, fresh: bool = False) -> list[TakenSlice]:
    """Count an attempt at each slice, in a transaction of its own, and read them; by id, ascending.

    Left out: what is closed, gone or in somebody's hand. ``fresh``: also what has been attempted before, and
    completions.
    """
    with _at_once(engine) as connection:
        rows = connection.execute(_TAKE, {"ids": list(slice_ids), "fresh": fresh}).all()
    return sorted(
        (
            TakenSlice(
                id=row.id,
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
            for row in rows
        ),
        key=lambda taken: taken.id,
    )


def take_slice(engine: Engine, slice_id: int) -> TakenSlice | None:
    """Take one slice, whatever it is. None: closed, gone or in hand."""
    return next(iter(take_slices(engine, [slice_id])), None)


def undecided_slices(engine: Engine, slice_ids: Sequence[int]) -> list[int]:
    """Which of these slices are not closed; those that were attempted least come first."""
    with _at_once(engine) as connection:
        return list(connection.execute(_UNDECIDED, {"ids": list(slice_ids)}).scalars())


def release_slices(engine: Engine, slice_ids: Sequence[int]) -> None:
    """Take back an attempt at each that ended in good order: only those count that ended their worker.

    It waits for whoever holds a slice: a count that is not taken back would condemn the slice one day.
    """
    with _at_once(engine) as connection:
        connection.execute(_RELEASE, {"ids": list(slice_ids)})


@contextmanager
def _at_once(engine: Engine) -> Iterator[Connection]:
    # One statement is its own transaction; BEGIN and COMMIT would cost two more round trips.
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
