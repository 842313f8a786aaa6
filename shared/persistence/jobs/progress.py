"""The progress of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from shared.domain.batch_options import BatchOptions
from shared.domain.job import Job
from shared.domain.kinds import JobForm
from shared.persistence.core.database import autocommit
from shared.persistence.jobs.close import CODES, finish_ended_jobs

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine, Row

_BEGUN_AMONG: Final = 25
"""Of a job's first slices one is taken before all others; they need not all be looked at to see whether."""

_REJECTED = ", ".join(f"sum(rejected[{nth}])" for nth in range(1, len(CODES) + 1))

# One statement sees one moment, so the figures agree with each other. Of a job that is finished it reads the
# row alone; of one that runs no body and no outcome, and few rows.
#
# An attempt is counted without waiting for the disk, and its beginning with it: for 0.6 seconds (three times
# wal_writer_delay) a crash of PostgreSQL could forget it. So it is told after that, and what was told stays.
JOBS: Final = f"""
    SELECT jobs.id, jobs.client_id, jobs.api_key_id, jobs.request_id, jobs.total, jobs.form, jobs.created_at,
           jobs.expires_at, jobs.cancel_requested_at, jobs.deleted_at, jobs.retry_of,
           jobs.dry_run, jobs.atomic, jobs.ordered, jobs.unique_keys, jobs.max_failed, jobs.not_before,
           jobs.reference, jobs.labels,
           ARRAY(SELECT id FROM jobs AS later WHERE later.retry_of = jobs.id ORDER BY id) AS retries,
           jobs.finished_at, jobs.ok_count, jobs.cancelled_count, jobs.codes,
           LEAST(jobs.started_at, counted.started_at, begun.started_at) AS started_at,
           counted.decided, counted.ok, counted.cancelled, counted.rejected,
           jobs.finished_at IS NULL
               AND NOT EXISTS (SELECT FROM slices WHERE job_id = jobs.id AND closed_at IS NULL) AS ended
    FROM jobs
    LEFT JOIN LATERAL (
        SELECT sum(decided) AS decided, sum(ok) AS ok, sum(cancelled) AS cancelled,
               ARRAY[{_REJECTED}] AS rejected, min(started_at) AS started_at
        FROM job_progress WHERE job_id = jobs.id AND jobs.finished_at IS NULL
    ) AS counted ON true
    LEFT JOIN LATERAL (
        SELECT min(started_at) AS started_at
        FROM (SELECT started_at, closed_at FROM slices WHERE job_id = jobs.id AND jobs.finished_at IS NULL
              ORDER BY number LIMIT {_BEGUN_AMONG}) AS first
        WHERE closed_at IS NOT NULL OR started_at < now() - interval '1 second'
    ) AS begun ON true
"""  # noqa: S608 - made of nothing but what stands here
"""Jobs as ``job_of`` reads them; what follows says which."""

_JOB = text(f"{JOBS} WHERE jobs.id = :id")


def find_job(engine: Engine, job_id: UUID) -> Job | None:
    """Read a job and how far it has come, all of one moment; None if there is none of this id.

    A job that ended without anybody finishing it is finished. Raises PersistenceError.
    """
    row = _read(engine, job_id)
    if row is not None and row.ended:
        finish_ended_jobs(engine, [job_id])
        row = _read(engine, job_id)
    return None if row is None else job_of(row)


def job_of(row: Row[Any]) -> Job:
    """A row of JOBS as a job."""
    finished = row.finished_at is not None
    codes = row.codes if finished else dict(zip(CODES, row.rejected, strict=True))
    return Job(
        id=row.id,
        client_id=row.client_id,
        api_key_id=row.api_key_id,
        request_id=row.request_id,
        total=row.total,
        created_at=row.created_at,
        expires_at=row.expires_at,
        form=JobForm(row.form),
        options=_options_of(row),
        decided=row.total if finished else row.decided or 0,
        ok=(row.ok_count if finished else row.ok) or 0,
        cancelled=(row.cancelled_count if finished else row.cancelled) or 0,
        codes={int(code): int(orders) for code, orders in codes.items() if orders},
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested_at=row.cancel_requested_at,
        deleted_at=row.deleted_at,
        retry_of=row.retry_of,
        retries=tuple(row.retries),
    )


def _options_of(row: Row[Any]) -> BatchOptions:
    return BatchOptions(
        dry_run=row.dry_run,
        atomic=row.atomic,
        ordered=row.ordered,
        unique_keys=row.unique_keys,
        max_failed=row.max_failed,
        not_before=row.not_before,
        reference=row.reference,
        # jsonb keeps no order of its members.
        labels=dict(sorted((row.labels or {}).items())),
    )


def _read(engine: Engine, job_id: UUID) -> Row[Any] | None:
    with autocommit(engine) as connection:
        return connection.execute(_JOB, {"id": job_id}).one_or_none()
