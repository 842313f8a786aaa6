"""The progress of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from shared.domain.job import Job, JobForm
from shared.persistence.core.errors import translated

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Engine

# One statement sees one moment, so the figures agree with each other. It reads no body and no outcome.
#
# An attempt is counted without waiting for the disk, and its beginning with it: for 0.6 seconds (three times
# wal_writer_delay) a crash of PostgreSQL could forget it. So it is told after that, and what was told stays.
_JOB = text("""
    SELECT jobs.id, jobs.client_id, jobs.api_key_id, jobs.request_id, jobs.total, jobs.form,
           jobs.created_at, jobs.expires_at,
           progress.decided, progress.ok, progress.started_at, progress.last_closed_at, rejected.codes
    FROM jobs
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(order_count) FILTER (WHERE closed_at IS NOT NULL), 0) AS decided,
               coalesce(sum(ok_count), 0) AS ok,
               CASE WHEN bool_or(closed_at IS NOT NULL OR started_at < now() - interval '1 second')
                    THEN min(coalesce(started_at, closed_at)) END AS started_at,
               max(closed_at) AS last_closed_at
        FROM slices
        WHERE job_id = jobs.id
    ) AS progress
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(code, orders) AS codes
        FROM (
            SELECT code, sum(orders::integer) AS orders
            FROM slices CROSS JOIN jsonb_each_text(slices.codes) AS counted (code, orders)
            WHERE slices.job_id = jobs.id
            GROUP BY code
        ) AS by_code
    ) AS rejected
    WHERE jobs.id = :id
""")


def find_job(engine: Engine, job_id: UUID) -> Job | None:
    """Read a job and how far it has come, all of one moment; None if there is none of this id.

    Raises PersistenceError.
    """
    with translated(), _reading(engine) as connection:
        row = connection.execute(_JOB, {"id": job_id}).one_or_none()
    if row is None:
        return None
    found: dict[str, Any] = row._asdict()
    codes = found.pop("codes") or {}
    form = JobForm(found.pop("form"))
    return Job(**found, form=form, codes={int(code): orders for code, orders in codes.items()})


def _reading(engine: Engine) -> Connection:
    # A single read needs no transaction around it, which would cost two more round trips.
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")
