"""Insertion of a job (architecture §1, step 2): it and its slices, stored in one transaction."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import orjson
from sqlalchemy import text

from shared.persistence.core.database import autocommit, driver_of, transaction
from shared.persistence.core.errors import CommitUnknownError, PermanentError, TransientError
from shared.persistence.jobs.requested_numbers import request_numbers
from shared.persistence.jobs.retry import mark_retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from shared.domain.batch_options import BatchOptions
    from shared.domain.job import Job
    from shared.persistence.jobs.retry import JobRetry


class JobInsertUnknownError(TransientError):
    """The database went away in the middle of the commit: the job may be there or not."""

    def __init__(self, message: str, job_id: UUID) -> None:
        super().__init__(message)
        self.job_id = job_id


class IdempotencyKeyUsedError(Exception):
    """The same client has used this Idempotency-Key before: for this job, and for what hashes so."""

    def __init__(self, job_id: UUID, request_hash: bytes) -> None:
        super().__init__(f"used before, for job {job_id}")
        self.job_id = job_id
        self.request_hash = request_hash


@dataclass(frozen=True, kw_only=True)
class NewSlice:
    """One slice to be stored. ``body`` is one JSON object, ``{key: order, …}``.

    ``first_position`` is the batch position of its first order; ``repeated_numbers`` are batch positions.
    """

    number: int
    first_position: int
    order_count: int
    body: bytes
    repeated_numbers: Sequence[int] = ()


class NewSlices(Protocol):
    """The slices of a batch, made one by one; going through them again makes them again."""

    def __len__(self) -> int:
        """Tell how many there are."""

    def __iter__(self) -> Iterator[NewSlice]:
        """Make them, in order."""


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is accepted: a job that nothing has been decided of, and how its slices are to be dispatched.

    After ``dispatch_after_seconds`` the sweeper dispatches a slice that is still undecided; of an ordered job
    only the first, and of one that is to be decided later when its moment has come. Of the job's moments only
    how far they are apart is used: they are stored by the database's clock, everybody's.
    ``requested_numbers`` are kept for its orders while it is undecided.
    """

    job: Job
    strict: bool
    queue: str
    dispatch_after_seconds: float
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    retry: JobRetry | None = None
    requested_numbers: Sequence[int] = ()


class Stored(NamedTuple):
    """The ids of a job's slices, in order, and when it was stored, by the database's clock."""

    slice_ids: list[int]
    created_at: datetime


# Of a job that is ended already nothing is left to be decided, and it is told from its row.
INSERT_JOBS: Final = """
    INSERT INTO jobs (id, client_id, api_key_id, request_id, total, form, strict, ordered, dry_run, atomic,
                      unique_keys, max_failed, not_before, reference, labels, created_at, expires_at,
                      idempotency_key, request_hash, finished_at, ok_count, cancelled_count, codes)
    SELECT id, client_id, api_key_id, request_id, total, form, strict, ordered, dry_run, atomic,
           unique_keys, max_failed, not_before, reference, CAST(labels AS jsonb), now(), now() + kept,
           idempotency_key, request_hash, CASE WHEN ended THEN now() END, CASE WHEN ended THEN 0 END,
           CASE WHEN ended THEN 0 END, CASE WHEN ended THEN CAST('{}' AS jsonb) END
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:client_ids AS integer[]), CAST(:api_key_ids AS integer[]),
        CAST(:request_ids AS text[]), CAST(:totals AS integer[]), CAST(:forms AS text[]),
        CAST(:stricts AS boolean[]), CAST(:ordered AS boolean[]), CAST(:dry_runs AS boolean[]),
        CAST(:atomic AS boolean[]), CAST(:unique_keys AS boolean[]), CAST(:max_failed AS integer[]),
        CAST(:not_before AS timestamptz[]), CAST(:references AS text[]), CAST(:labels AS text[]),
        CAST(:kept AS interval[]),
        CAST(:keys AS text[]), CAST(:hashes AS bytea[]), CAST(:ended AS boolean[])
    ) AS asked (id, client_id, api_key_id, request_id, total, form, strict, ordered, dry_run, atomic,
                unique_keys, max_failed, not_before, reference, labels, kept, idempotency_key, request_hash,
                ended)
"""
"""The one INSERT of jobs, of ``job_values``; it may be gone on with."""

SLICE_COLUMNS: Final = (
    "job_id, number, first_position, order_count, body, repeated_numbers, queue, next_dispatch_at"
)
"""What a new slice is written with."""

_JOB_AND_SLICE_IDS = text(f"""
    WITH job AS ({INSERT_JOBS} RETURNING created_at, not_before)
    SELECT created_at,
           CASE WHEN not_before > created_at THEN not_before
                ELSE created_at + make_interval(secs => :dispatch_after_seconds) END AS next_dispatch_at,
           ARRAY(SELECT nextval(pg_get_serial_sequence('slices', 'id'))
                 FROM generate_series(1, :slice_count)) AS slice_ids
    FROM job
""")  # noqa: S608 - our own text

# Binary, because the text form doubles the bodies and has to be parsed: 60 MB take half a second, not one.
_COPY_SLICES = f"COPY slices (id, {SLICE_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_COPIED_TYPES = ("int8", "uuid", "int4", "int4", "int4", "bytea", "int4[]", "text", "timestamptz")

_INSERTED_UNDER_KEY = text(
    "SELECT id, request_hash FROM jobs WHERE client_id = :client_id AND idempotency_key = :key"
)
_INSERTED = text(
    "SELECT created_at, ARRAY(SELECT id FROM slices WHERE job_id = jobs.id ORDER BY number) AS slice_ids"
    " FROM jobs WHERE id = :id"
)


def insert_job(engine: Engine, new_job: NewJob, slices: NewSlices, *, perhaps_stored: bool = False) -> Stored:
    """Store the job and its slices in one transaction.

    Once this returns the batch is accepted, whatever dies. A connection that is lost in the middle of the
    commit leaves open whether it happened; so the same is asked for once more, which finds a job that is
    there already. ``perhaps_stored``: it has been asked for before. Slices are made as they are sent: memory
    holds few of them at a time.

    Raises PersistenceError, after which nothing is stored; only after JobInsertUnknownError that is not
    known. Raises IdempotencyKeyUsedError where the Idempotency-Key stands for another job of this client;
    nothing is stored then, nor with KeysRetriedError, where another retry has its orders. Two first requests
    at once: the second waits here for the first one's commit.
    """
    if not perhaps_stored:
        with suppress(JobInsertUnknownError):
            return _store(engine, new_job, slices)
    try:
        return _store(engine, new_job, slices)
    except TransientError as error:
        raise JobInsertUnknownError(str(error), new_job.job.id) from error


def check_key_unused(engine: Engine, client_id: int, idempotency_key: str | None) -> None:
    """Raise IdempotencyKeyUsedError for a key that stands for a job of this client; also PersistenceError."""
    if idempotency_key is None:
        return
    with autocommit(engine) as connection:
        names = {"client_id": client_id, "key": idempotency_key}
        row = connection.execute(_INSERTED_UNDER_KEY, names).one_or_none()
    if row is not None:
        raise IdempotencyKeyUsedError(row.id, bytes(row.request_hash))


def _store(engine: Engine, new_job: NewJob, slices: NewSlices) -> Stored:
    try:
        with transaction(engine) as connection:
            return _insert(connection, new_job, slices)
    except PermanentError as error:
        if error.constraint not in {"jobs_pkey", "jobs_client_id_idempotency_key_key"}:
            raise
        return _inserted_before(engine, new_job)
    except CommitUnknownError as error:
        raise JobInsertUnknownError(str(error), new_job.job.id) from error


def _inserted_before(engine: Engine, new_job: NewJob) -> Stored:
    with transaction(engine) as connection:
        # The same job, asked for twice because its commit was lost from sight, is one.
        found = connection.execute(_INSERTED, {"id": new_job.job.id}).one_or_none()
        if found is not None:
            return Stored(found.slice_ids, found.created_at)
        names = {"client_id": new_job.job.client_id, "key": new_job.idempotency_key}
        row = connection.execute(_INSERTED_UNDER_KEY, names).one_or_none()
    if row is None:
        raise TransientError("the job that held the Idempotency-Key has just expired")
    raise IdempotencyKeyUsedError(row.id, bytes(row.request_hash))


def job_values(new_jobs: Sequence[NewJob], *, ended: bool) -> dict[str, list[Any]]:
    """The values of INSERT_JOBS for these jobs, by name; ``ended``: there is nothing to be decided of any."""
    jobs = [new_job.job for new_job in new_jobs]
    return {
        "ids": [job.id for job in jobs],
        "client_ids": [job.client_id for job in jobs],
        "api_key_ids": [job.api_key_id for job in jobs],
        "request_ids": [job.request_id for job in jobs],
        "totals": [job.total for job in jobs],
        "forms": [job.form.value for job in jobs],
        "stricts": [new_job.strict for new_job in new_jobs],
        **_option_values([job.options for job in jobs]),
        "kept": [job.expires_at - job.created_at for job in jobs],
        "keys": [new_job.idempotency_key for new_job in new_jobs],
        "hashes": [new_job.request_hash for new_job in new_jobs],
        "ended": [ended for _ in jobs],
    }


def _option_values(options: Sequence[BatchOptions]) -> dict[str, list[Any]]:
    return {
        "ordered": [one.ordered for one in options],
        "dry_runs": [one.dry_run for one in options],
        "atomic": [one.atomic for one in options],
        "unique_keys": [one.unique_keys for one in options],
        "max_failed": [one.max_failed for one in options],
        "not_before": [one.not_before for one in options],
        "references": [one.reference for one in options],
        "labels": [orjson.dumps(one.labels).decode() if one.labels else None for one in options],
    }


def _insert(connection: Connection, new_job: NewJob, slices: NewSlices) -> Stored:
    job = new_job.job
    row = {
        # Nothing is left of a batch of no orders.
        **job_values([new_job], ended=len(slices) == 0),
        "dispatch_after_seconds": new_job.dispatch_after_seconds,
        "slice_count": len(slices),
    }
    made = connection.execute(_JOB_AND_SLICE_IDS, row).one()
    stored = Stored(made.slice_ids, made.created_at)
    if new_job.retry is not None:
        mark_retry(connection, job.id, new_job.retry)
    # A dry run leaves no gap in the numbers of others.
    request_numbers(connection, job.id, () if job.options.dry_run else new_job.requested_numbers)
    if not stored.slice_ids:
        return stored
    _copy_slices(connection, new_job, slices, stored.slice_ids, made.next_dispatch_at)
    return stored


def _copy_slices(
    connection: Connection,
    new_job: NewJob,
    slices: NewSlices,
    slice_ids: Sequence[int],
    next_dispatch_at: datetime,
) -> None:
    with driver_of(connection).cursor() as cursor, cursor.copy(_COPY_SLICES) as copy:
        copy.set_types(_COPIED_TYPES)
        for slice_id, new in zip(slice_ids, slices, strict=True):
            copy.write_row(
                (
                    slice_id,
                    new_job.job.id,
                    new.number,
                    new.first_position,
                    new.order_count,
                    new.body,
                    list(new.repeated_numbers),
                    new_job.queue,
                    None if new_job.job.options.ordered and new.number else next_dispatch_at,
                )
            )
