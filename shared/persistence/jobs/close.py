"""Closing: a slice's outcomes are stored, its job's progress is counted, and the last one finishes its job.

A job's row is written once in its life, so that nobody queues for it: how far it has come is counted by each
connection in a row of its own. Who closes a slice while another one has not been taken yet cannot be the
last, and leaves the job's row alone. All others lock it, one after the other, and look again: whoever then
finds no slice open is the last. Who was held up between that look and its commit may be overtaken by the last
one, and neither finishes the job; whoever reads it then does, or the scheduler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, text

from shared.domain.outcome import Code
from shared.persistence.core.database import driver_of, transaction
from shared.persistence.core.errors import translated
from shared.persistence.jobs.dry_run import forget

CODES: Final = tuple(sorted((int(code) for code in Code), reverse=True))
"""In the order of ``job_progress.rejected``: -1 first."""

# What is told to be cancelled was perhaps never begun.
#
# Outcomes in binary: as text each byte of them is two, and has to be looked at for what needs a backslash.
_CLOSE = """
    UPDATE slices
    SET closed_at = now(), outcomes = closed.outcomes, ok_count = closed.ok,
        cancelled_count = closed.cancelled, codes = CAST(closed.codes AS jsonb), attempt_tokens = '{}',
        started_at = CASE WHEN closed.cancelled = 0 THEN COALESCE(started_at, now()) ELSE started_at END
    FROM unnest(
        %(ids)s::bigint[], %(outcomes)b::bytea[], %(oks)s::integer[], %(cancelled)s::integer[],
        %(codes)s::text[]
    ) AS closed (id, outcomes, ok, cancelled, codes)
    WHERE slices.id = closed.id
"""
_REJECTED = ", ".join(f"COALESCE(sum(CAST(codes ->> '{code}' AS integer)), 0)" for code in CODES)
_ADDED = ", ".join(f"so_far.rejected[{nth}] + excluded.rejected[{nth}]" for nth in range(1, len(CODES) + 1))
# Sorted, as rows are locked everywhere.
_COUNT = text(f"""
    WITH counted AS (
        INSERT INTO job_progress AS so_far (job_id, writer, decided, ok, cancelled, rejected, started_at)
        SELECT job_id, pg_backend_pid(), sum(order_count), sum(ok_count), sum(cancelled_count),
               ARRAY[{_REJECTED}], min(started_at)
        FROM slices WHERE id = ANY(CAST(:ids AS bigint[])) GROUP BY job_id
        ON CONFLICT (job_id, writer) DO UPDATE
        SET decided = so_far.decided + excluded.decided, ok = so_far.ok + excluded.ok,
            cancelled = so_far.cancelled + excluded.cancelled, rejected = ARRAY[{_ADDED}],
            started_at = LEAST(so_far.started_at, excluded.started_at)
    )
    SELECT id FROM jobs
    WHERE id = ANY(CAST(:job_ids AS uuid[])) AND finished_at IS NULL
    AND NOT EXISTS (SELECT FROM slices WHERE job_id = jobs.id AND closed_at IS NULL AND attempts = 0)
    ORDER BY id FOR NO KEY UPDATE
""")  # noqa: S608 - made of nothing but numbers of ours
# Counted from the slices themselves: a job's last word must not depend on what was added up on the way.
_FINISH = text("""
    WITH ended AS (
        SELECT job_id, sum(ok_count) AS ok, sum(cancelled_count) AS cancelled, min(started_at) AS started,
               max(closed_at) AS closed
        FROM slices WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
        GROUP BY job_id HAVING bool_and(closed_at IS NOT NULL)
    ), rejected AS (
        SELECT job_id, jsonb_object_agg(code, orders) AS codes
        FROM (
            SELECT job_id, code, sum(CAST(orders AS integer)) AS orders
            FROM slices CROSS JOIN jsonb_each_text(slices.codes) AS counted (code, orders)
            WHERE job_id = ANY(CAST(:job_ids AS uuid[])) AND slices.codes <> '{}'
            GROUP BY job_id, code
        ) AS by_code
        GROUP BY job_id
    ), cleared AS (
        DELETE FROM job_progress USING ended WHERE job_progress.job_id = ended.job_id
    )
    UPDATE jobs
    SET finished_at = ended.closed, started_at = ended.started, ok_count = ended.ok,
        cancelled_count = ended.cancelled, codes = COALESCE(rejected.codes, '{}')
    FROM ended LEFT JOIN rejected ON rejected.job_id = ended.job_id
    WHERE jobs.id = ended.job_id AND jobs.finished_at IS NULL
    RETURNING jobs.id, jobs.dry_run
""")
# One after the other, and each sees what those before it have counted: of two at once, the second sees both.
_LOCK_LIMITED = text("""
    SELECT id FROM jobs WHERE id = ANY(CAST(:job_ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
""")
_STOP = text("""
    UPDATE jobs SET cancel_requested_at = now()
    FROM (
        SELECT job_id, sum(decided - ok - cancelled) AS failed
        FROM job_progress WHERE job_id = ANY(CAST(:job_ids AS uuid[])) GROUP BY job_id
    ) AS counted
    WHERE jobs.id = counted.job_id AND failed > max_failed
    AND finished_at IS NULL AND cancel_requested_at IS NULL
    RETURNING jobs.id
""")
_UNFINISHED = text("""
    SELECT id, NOT EXISTS (SELECT FROM slices WHERE job_id = jobs.id AND closed_at IS NULL) AS ended
    FROM jobs WHERE finished_at IS NULL AND id > :after ORDER BY id LIMIT :most
""")
# Who holds one may be about to finish it.
_LOCK = text("""
    SELECT id FROM jobs WHERE id = ANY(CAST(:job_ids AS uuid[])) AND finished_at IS NULL
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSlice:
    """What a slice came to. ``outcomes`` is one JSON object, {key: outcome, …}, in order, or one for all.

    ``codes`` counts the rejected ones by code, without those that were cancelled. ``order_count`` and
    ``job_total`` are the orders of the slice and of its job.
    """

    id: int
    job_id: UUID
    order_count: int
    job_total: int
    outcomes: bytes
    ok_count: int
    codes: Mapping[str, int]
    cancelled_count: int = 0
    limited: bool = False
    """Whether its job is cancelled when too many of its orders are rejected."""


class Closing(NamedTuple):
    """The jobs that a transaction finishes, and those that it cancels because too much was rejected."""

    finished: list[UUID]
    stopped: list[UUID]


def close_slices(connection: Connection, closed: Sequence[ClosedSlice]) -> Closing:
    """Write the outcomes of slices that this transaction has claimed; gives what becomes of their jobs.

    It comes last in a transaction: from here on it may hold the jobs' rows, and waits for others' commits.
    """
    values = {
        "ids": [one.id for one in closed],
        "outcomes": [one.outcomes for one in closed],
        "oks": [one.ok_count for one in closed],
        "cancelled": [one.cancelled_count for one in closed],
        "codes": [orjson.dumps(one.codes).decode() for one in closed],
    }
    with translated(), driver_of(connection).cursor() as cursor:
        cursor.execute(_CLOSE, values)
    orders: Counter[UUID] = Counter()
    for one in closed:
        orders[one.job_id] += one.order_count
    # Nobody else has slices of these.
    ended = {one.job_id for one in closed if orders[one.job_id] == one.job_total}
    others = [one for one in closed if one.job_id not in ended]
    limited = sorted({one.job_id for one in others if one.limited})
    if limited:
        # Before any other job's row, by everybody, so that nobody waits in a ring.
        connection.execute(_LOCK_LIMITED, {"job_ids": limited})
    if others:
        wanted = {"ids": [one.id for one in others], "job_ids": list({one.job_id for one in others})}
        ended.update(connection.execute(_COUNT, wanted).scalars())
    finished = finish_jobs(connection, sorted(ended)) if ended else []
    return Closing(finished, _stop(connection, limited) if limited else [])


def _stop(connection: Connection, job_ids: Sequence[UUID]) -> list[UUID]:
    """Request the cancellation of those of these jobs, locked by this transaction, that failed too often."""
    return list(connection.execute(_STOP, {"job_ids": list(job_ids)}).scalars())


def finish_jobs(connection: Connection, job_ids: Sequence[UUID]) -> list[UUID]:
    """Write the last word of those of these jobs, locked by this transaction, that have no slice open.

    Gives which those are: of all transactions in a job's life it is given to one.
    """
    finished = connection.execute(_FINISH, {"job_ids": list(job_ids)}).all()
    if dry_runs := [row.id for row in finished if row.dry_run]:
        forget(connection, dry_runs)
    return [row.id for row in finished]


def finish_ended_jobs(engine: Engine, job_ids: Sequence[UUID]) -> list[UUID]:
    """Finish jobs whose last slices were closed at the same moment, each by somebody who saw the other open.

    Those that somebody is about to finish are left to them. Raises PersistenceError.
    """
    with transaction(engine) as connection:
        locked = list(connection.execute(_LOCK, {"job_ids": list(job_ids)}).scalars())
        return finish_jobs(connection, locked) if locked else []


@dataclass(frozen=True, slots=True)
class EndedJobs:
    """Which of some unfinished jobs have no slice open, and the last that was looked at; None: all were."""

    job_ids: list[UUID]
    after: UUID | None


def list_ended_jobs(engine: Engine, after: UUID, most: int) -> EndedJobs:
    """Look at ``most`` unfinished jobs behind one, in the order of their ids. Raises PersistenceError."""
    with transaction(engine) as connection:
        rows = connection.execute(_UNFINISHED, {"after": after, "most": most}).all()
    return EndedJobs([row.id for row in rows if row.ended], rows[-1].id if len(rows) == most else None)
