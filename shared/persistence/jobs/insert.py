"""Insertion of a job (architecture §1, step 2): it and its slices, stored in one transaction."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from sqlalchemy import text

from shared.persistence.core.database import transaction
from shared.persistence.core.errors import CommitUnknownError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    import psycopg
    from sqlalchemy import Connection, Engine

    from shared.domain.job import Job


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

    After ``dispatch_after_seconds`` the sweeper dispatches a slice that is still undecided. Of the job's
    moments only how far they are apart is used: they are stored by the database's clock, everybody's.
    """

    job: Job
    strict: bool
    queue: str
    dispatch_after_seconds: float
    idempotency_key: str | None = None
    request_hash: bytes | None = None


class Stored(NamedTuple):
    """The ids of a job's slices, in order, and when it was stored, by the database's clock."""

    slice_ids: list[int]
    created_at: datetime


_JOB_AND_SLICE_IDS = text("""
    WITH job AS (
        INSERT INTO jobs (id, client_id, api_key_id, request_id, total, form, strict, created_at,
                          expires_at, idempotency_key, request_hash,
                          finished_at, ok_count, cancelled_count, codes)
        VALUES (:id, :client_id, :api_key_id, :request_id, :total, :form, :strict, now(), now() + :kept,
                :idempotency_key, :request_hash,
                CASE WHEN :ended THEN now() END, CASE WHEN :ended THEN 0 END, CASE WHEN :ended THEN 0 END,
                CASE WHEN :ended THEN CAST('{}' AS jsonb) END)
        RETURNING created_at
    )
    SELECT created_at, created_at + make_interval(secs => :dispatch_after_seconds) AS next_dispatch_at,
           ARRAY(SELECT nextval(pg_get_serial_sequence('slices', 'id'))
                 FROM generate_series(1, :slice_count)) AS slice_ids
    FROM job
""")

# Binary, because the text form doubles the bodies and has to be parsed: 60 MB take half a second, not one.
_COPY_SLICES = """
    COPY slices (
        id, job_id, number, first_position, order_count, body, repeated_numbers, queue, next_dispatch_at
    ) FROM STDIN (FORMAT BINARY)
"""
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
    nothing is stored then. Two first requests at once: the second waits here for the first one's commit.
    """
    if not perhaps_stored:
        with suppress(JobInsertUnknownError):
            return _store(engine, new_job, slices)
    try:
        return _store(engine, new_job, slices)
    except TransientError as error:
        raise JobInsertUnknownError(str(error), new_job.job.id) from error


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


def _insert(connection: Connection, new_job: NewJob, slices: NewSlices) -> Stored:
    job = new_job.job
    row = {
        "id": job.id,
        "client_id": job.client_id,
        "api_key_id": job.api_key_id,
        "request_id": job.request_id,
        "total": job.total,
        "form": job.form.value,
        "strict": new_job.strict,
        "kept": job.expires_at - job.created_at,
        "dispatch_after_seconds": new_job.dispatch_after_seconds,
        "idempotency_key": new_job.idempotency_key,
        "request_hash": new_job.request_hash,
        "slice_count": len(slices),
        # Nothing is left of a batch of no orders.
        "ended": len(slices) == 0,
    }
    made = connection.execute(_JOB_AND_SLICE_IDS, row).one()
    stored = Stored(made.slice_ids, made.created_at)
    if not stored.slice_ids:
        return stored
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(_COPY_SLICES) as copy:
        copy.set_types(_COPIED_TYPES)
        for slice_id, new in zip(stored.slice_ids, slices, strict=True):
            copy.write_row(
                (
                    slice_id,
                    job.id,
                    new.number,
                    new.first_position,
                    new.order_count,
                    new.body,
                    list(new.repeated_numbers),
                    new_job.queue,
                    made.next_dispatch_at,
                )
            )
    return stored
