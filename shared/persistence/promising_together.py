"""Several promises in one statement, and so in one commit: for small batches that come at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from shared.persistence.errors import DatabaseAwayError, TransientError, translated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Engine

    from shared.persistence.promising import NewSlice, Promise


class PromisesUnknownError(TransientError):
    """The database went away in the middle: the jobs may all be there, or none of them."""


# Sorted by what is unique: of two API processes with the same Idempotency-Keys one waits for the other, and
# not each for the other. ON CONFLICT: a key that is in use leaves out its own job alone.
_PROMISE = text("""
    WITH made AS (
        INSERT INTO jobs (id, api_key_id, request_id, total, form, strict, created_at, expires_at,
                          idempotency_key, request_hash)
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:api_key_ids AS integer[]), CAST(:request_ids AS text[]),
            CAST(:totals AS integer[]), CAST(:forms AS text[]), CAST(:stricts AS boolean[]),
            CAST(:created AS timestamptz[]), CAST(:expiring AS timestamptz[]),
            CAST(:keys AS text[]), CAST(:hashes AS bytea[])
        ) AS asked (id, api_key_id, request_id, total, form, strict, created_at, expires_at,
                    idempotency_key, request_hash)
        ORDER BY api_key_id, idempotency_key, id
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    INSERT INTO slices (job_id, number, first_position, order_count, body, repeated_numbers, queue,
                        next_dispatch_at)
    SELECT job_id, number, first_position, order_count, body, CAST(repeated_numbers AS integer[]), queue,
           next_dispatch_at
    FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:first_positions AS integer[]),
        CAST(:order_counts AS integer[]), CAST(:bodies AS bytea[]), CAST(:repeated AS text[]),
        CAST(:queues AS text[]), CAST(:due AS timestamptz[])
    ) WITH ORDINALITY AS new (job_id, number, first_position, order_count, body, repeated_numbers, queue,
                              next_dispatch_at, nth)
    JOIN made ON made.id = new.job_id
    ORDER BY nth
    RETURNING job_id, id
""")


def promise_together(
    engine: Engine, promises: Sequence[tuple[Promise, Sequence[NewSlice]]]
) -> dict[UUID, list[int]]:
    """Store these jobs and their slices, at least one each; gives the slices' ids by job, in order.

    A job that is left out is not stored, or was before; ``promise`` tells. Raises PersistenceError, after
    which none is stored; only after PromisesUnknownError that is not known.
    """
    values = {**_job_columns([promised for promised, _ in promises]), **_slice_columns(promises)}
    sent = False
    try:
        # One statement is its own transaction; BEGIN and COMMIT would cost two more round trips.
        with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            sent = True
            rows = connection.execute(_PROMISE, values).all()
    except DatabaseAwayError as error:
        if sent:
            raise PromisesUnknownError(str(error)) from error
        raise
    stored: dict[UUID, list[int]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        stored.setdefault(row.job_id, []).append(row.id)
    return stored


def _job_columns(promises: Sequence[Promise]) -> dict[str, list[Any]]:
    jobs = [promised.job for promised in promises]
    return {
        "ids": [job.id for job in jobs],
        "api_key_ids": [job.api_key_id for job in jobs],
        "request_ids": [job.request_id for job in jobs],
        "totals": [job.total for job in jobs],
        "forms": [job.form.value for job in jobs],
        "stricts": [promised.strict for promised in promises],
        "created": [job.created_at for job in jobs],
        "expiring": [job.expires_at for job in jobs],
        "keys": [promised.idempotency_key for promised in promises],
        "hashes": [promised.request_hash for promised in promises],
    }


def _slice_columns(promises: Sequence[tuple[Promise, Sequence[NewSlice]]]) -> dict[str, list[Any]]:
    slices = [(promised, new) for promised, those in promises for new in those]
    return {
        "job_ids": [promised.job.id for promised, _ in slices],
        "numbers": [new.number for _, new in slices],
        "first_positions": [new.first_position for _, new in slices],
        "order_counts": [new.order_count for _, new in slices],
        "bodies": [new.body for _, new in slices],
        # As text: an array of arrays would have to be rectangular.
        "repeated": [f"{{{','.join(map(str, new.repeated_numbers))}}}" for _, new in slices],
        "queues": [promised.queue for promised, _ in slices],
        "due": [promised.next_dispatch_at for promised, _ in slices],
    }
