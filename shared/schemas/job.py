"""Job to JSON (contract §5)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from shared.domain.job import Job, JobState
from shared.domain.kinds import JobKind

if TYPE_CHECKING:
    from uuid import UUID

_JOB_PATH = "/v1/jobs/{id}"
_RESULTS_PATH = "/v1/jobs/{id}/results"


def job_path(job_id: UUID) -> str:
    """Where a job can be asked for."""
    return _JOB_PATH.format(id=job_id)


class Rfc3339(fields.DateTime):
    """A moment in UTC, as ``2026-11-23T18:25:21.123456Z``."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class _Path(fields.String):
    """A path made from the job's id."""

    def __init__(self, template: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.template = template

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **kwargs: Any) -> str:
        return self.template.format(id=obj.id)


class _OfTheSame(fields.Nested):
    """A nested object made from the outer one itself."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return obj


class LinksSchema(Schema):
    """Where to go from a job."""

    self_ = _Path(_JOB_PATH, data_key="self", metadata={"description": "this job"})
    results = _Path(_RESULTS_PATH, metadata={"description": "its keyed outcomes"})


class CodeCounts(fields.Dict):
    """Rejections by code, ``-1`` first; JSON object names are strings."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, int]:
        return {str(code): value[code] for code in sorted(value, reverse=True)}


class JobSchema(Schema):
    """A job's progress. The counts add up to ``total`` in every answer."""

    id = fields.UUID(metadata={"description": "UUIDv7"})
    kind = fields.Enum(JobKind, by_value=True, metadata={"description": "what its batch is made of"})
    state = fields.Enum(JobState, by_value=True, metadata={"description": "where the job stands"})
    done = fields.Boolean(metadata={"description": "whether every key has its outcome"})
    total = fields.Integer(metadata={"description": "orders in the batch"})
    pending = fields.Integer(metadata={"description": "orders without an outcome yet"})
    ok = fields.Integer(metadata={"description": "orders that were created or prepared"})
    failed = fields.Integer(metadata={"description": "orders that were rejected"})
    cancelled = fields.Integer(metadata={"description": "orders that were cancelled"})
    percent = fields.Float(metadata={"description": "decided orders in a hundred, rounded down to 0.1"})
    codes = CodeCounts(
        keys=fields.String(), values=fields.Integer(), metadata={"description": "rejections by code"}
    )
    reference = fields.String(
        attribute="options.reference",
        allow_none=True,
        metadata={"description": "what its client calls it"},
    )
    labels = fields.Dict(
        attribute="options.labels",
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "its labels, by name"},
    )
    dry_run = fields.Boolean(
        data_key="dryRun",
        attribute="options.dry_run",
        metadata={"description": "whether nothing of what is decided stays"},
    )
    ordered = fields.Boolean(
        attribute="options.ordered",
        metadata={"description": "whether it is decided in the order that was sent"},
    )
    atomic = fields.Boolean(
        attribute="options.atomic", metadata={"description": "whether all orders are made or none"}
    )
    unique_keys = fields.Boolean(
        data_key="uniqueKeys",
        attribute="options.unique_keys",
        metadata={"description": "whether a key that has an order makes no second"},
    )
    max_failed = fields.Integer(
        data_key="maxFailed",
        attribute="options.max_failed",
        allow_none=True,
        metadata={"description": "it is cancelled when more orders than that are rejected"},
    )
    not_before = Rfc3339(
        data_key="notBefore",
        attribute="options.not_before",
        allow_none=True,
        metadata={"description": "nothing of it is decided before this moment"},
    )
    created_at = Rfc3339(data_key="createdAt", metadata={"description": "when it was promised"})
    started_at = Rfc3339(
        data_key="startedAt", allow_none=True, metadata={"description": "when work on it began"}
    )
    finished_at = Rfc3339(
        data_key="finishedAt", allow_none=True, metadata={"description": "when the last outcome came"}
    )
    kept_until = Rfc3339(
        data_key="expiresAt",
        metadata={"description": "until when it is kept; a day after its last outcome at the earliest"},
    )
    retry_of = fields.UUID(
        data_key="retryOf",
        allow_none=True,
        metadata={"description": "the job whose rejected orders it tries again"},
    )
    retries = fields.List(
        fields.UUID(), metadata={"description": "the jobs that try its rejected orders again"}
    )
    links = _OfTheSame(LinksSchema)


@cache
def _job_schema() -> JobSchema:
    return JobSchema()


def job_json(job: Job) -> dict[str, Any]:
    """Give a job as contract §5 shows it, ready for a JSON writer."""
    shown: dict[str, Any] = _job_schema().dump(job)
    return shown
