"""Insertion of several jobs in one statement, and so in one commit: the group commit of small batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from shared.persistence.core.database import autocommit
from shared.persistence.core.errors import DatabaseAwayError, TransientError
from shared.persistence.jobs.insert import INSERT_JOBS, SLICE_COLUMNS, Stored, job_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Engine

    from shared.persistence.jobs.insert import NewJob, NewSlice


class JobInsertsUnknownError(TransientError):
    """The database went away in the middle: the jobs may all be there, or none of them."""


# Sorted by what is unique: of two API processes with the same Idempotency-Keys one waits for the other, and
# not each for the other; and not for long, for it would keep all the others here: then each is stored apart.
# ON CONFLICT: a key that is in use leaves out its own job alone.
_INSERT_JOBS_AND_SLICES = text(f"""
    WITH waits AS (
        SELECT set_config('lock_timeout', '200ms', true)
    ), made AS (
        {INSERT_JOBS}
        CROSS JOIN waits
        ORDER BY client_id, idempotency_key, id
        ON CONFLICT DO NOTHING
        RETURNING id, created_at
    ), cut AS (
        INSERT INTO slices ({SLICE_COLUMNS})
        SELECT job_id, number, first_position, order_count, body, CAST(repeated_numbers AS integer[]), queue,
               created_at + make_interval(secs => wait_seconds)
        FROM unnest(
            CAST(:job_ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:first_positions AS integer[]),
            CAST(:order_counts AS integer[]), CAST(:bodies AS bytea[]), CAST(:repeated AS text[]),
            CAST(:queues AS text[]), CAST(:waits AS float8[])
        ) WITH ORDINALITY AS new (job_id, number, first_position, order_count, body, repeated_numbers, queue,
                                  wait_seconds, nth)
        JOIN made ON made.id = new.job_id
        ORDER BY nth
        RETURNING job_id, id
    )
    SELECT made.id AS job_id, made.created_at, ARRAY_AGG(cut.id ORDER BY cut.id) AS slice_ids
    FROM made JOIN cut ON cut.job_id = made.id
    GROUP BY made.id, made.created_at
""")  # noqa: S608 - our own text


def insert_jobs(engine: Engine, new_jobs: Sequence[tuple[NewJob, Sequence[NewSlice]]]) -> dict[UUID, Stored]:
    """Store these jobs and their slices, at least one each; gives what was stored by job.

    A job that is left out is not stored, or was before; ``insert_job`` tells. Raises PersistenceError, after
    which none is stored; only after JobInsertsUnknownError that is not known.
    """
    values = {**job_values([new_job for new_job, _ in new_jobs], ended=False), **_slice_columns(new_jobs)}
    sent = False
    try:
        with autocommit(engine) as connection:
            sent = True
            rows = connection.execute(_INSERT_JOBS_AND_SLICES, values).all()
    except DatabaseAwayError as error:
        if sent:
            raise JobInsertsUnknownError(str(error)) from error
        raise
    return {row.job_id: Stored(row.slice_ids, row.created_at) for row in rows}


def _slice_columns(new_jobs: Sequence[tuple[NewJob, Sequence[NewSlice]]]) -> dict[str, list[Any]]:
    slices = [(new_job, new) for new_job, those in new_jobs for new in those]
    return {
        "job_ids": [new_job.job.id for new_job, _ in slices],
        "numbers": [new.number for _, new in slices],
        "first_positions": [new.first_position for _, new in slices],
        "order_counts": [new.order_count for _, new in slices],
        "bodies": [new.body for _, new in slices],
        # As text: an array of arrays would have to be rectangular.
        "repeated": [f"{{{','.join(map(str, new.repeated_numbers))}}}" for _, new in slices],
        "queues": [new_job.queue for new_job, _ in slices],
        "waits": [new_job.dispatch_after_seconds for new_job, _ in slices],
    }
