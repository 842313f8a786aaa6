"""Lists of jobs, newest first: a page is one statement, whatever the jobs' sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from shared.domain.job import JobState
from shared.domain.job_list import JobFilter, JobPage
from shared.domain.kinds import KINDS
from shared.persistence.core.database import transaction
from shared.persistence.jobs.close import finish_ended_jobs
from shared.persistence.jobs.progress import JOBS, job_of

if TYPE_CHECKING:
    from sqlalchemy import Engine


# Of a finished job its counts say the state, of another one its progress; as Job.state does.
_STATES = {
    JobState.QUEUED: "finished_at IS NULL AND cancel_requested_at IS NULL AND started_at IS NULL",
    JobState.RUNNING: "finished_at IS NULL AND cancel_requested_at IS NULL AND started_at IS NOT NULL",
    JobState.CANCELLING: "finished_at IS NULL AND cancel_requested_at IS NOT NULL",
    JobState.CANCELLED: "cancelled_count > 0",
    JobState.SUCCEEDED: "cancelled_count = 0 AND ok_count = total",
    JobState.PARTIALLY_SUCCEEDED: "cancelled_count = 0 AND ok_count BETWEEN 1 AND total - 1",
    JobState.FAILED: "cancelled_count = 0 AND ok_count = 0 AND total > 0",
}
_FAILED = "COALESCE(total - ok_count - cancelled_count, decided - ok - cancelled, 0) > 0"
_OF_ROW = {
    "client_id": "jobs.client_id = :client_id",
    "after": "jobs.id < :after",
    "created_from": "jobs.created_at >= :created_from",
    "created_before": "jobs.created_at < :created_before",
    "reference": "jobs.reference = :reference",
}


def find_jobs(engine: Engine, wanted: JobFilter) -> JobPage:
    """Read a page of jobs that are not deleted. Raises PersistenceError."""
    rows = _read(engine, wanted)
    ended = [row.id for row in rows if row.ended]
    if ended:
        finish_ended_jobs(engine, ended)
        rows = _read(engine, wanted)
    return JobPage([job_of(row) for row in rows[: wanted.limit]], len(rows) > wanted.limit)


def _read(engine: Engine, wanted: JobFilter) -> list[Any]:
    values = {name: getattr(wanted, name) for name in _OF_ROW if getattr(wanted, name) is not None}
    of_row = ["jobs.deleted_at IS NULL", *(_OF_ROW[name] for name in values)]
    if wanted.kind is not None:
        of_row.append("jobs.form = ANY(CAST(:forms AS text[]))")
        values["forms"] = [form.value for form in KINDS[wanted.kind].forms]
    if wanted.labels:
        of_row.append("jobs.labels @> CAST(:labels AS jsonb)")
        values["labels"] = orjson.dumps(wanted.labels).decode()
    # What the progress says is known only when it has been read.
    of_job = [] if wanted.state is None else [_STATES[wanted.state]]
    if wanted.failed is not None:
        of_job.append(_FAILED if wanted.failed else f"NOT ({_FAILED})")
    statement = text(
        f"SELECT * FROM ({JOBS} WHERE {' AND '.join(of_row)}) AS listed"  # noqa: S608 - of what stands here
        f" WHERE {' AND '.join(of_job) or 'true'} ORDER BY id DESC LIMIT :most"
    )
    with transaction(engine) as connection:
        return list(connection.execute(statement, {**values, "most": wanted.limit + 1}))
