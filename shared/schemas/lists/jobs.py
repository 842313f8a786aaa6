"""GET /v1/jobs: what may be asked, and how a page is answered."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields

from shared.domain.job import JobState
from shared.domain.job_list import JobFilter, JobPage
from shared.domain.kinds import JobKind
from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_CURSOR
from shared.schemas.batch_options import REFERENCE_CHARS
from shared.schemas.fields import Choice, Flag, Labels, Line, Moment, Text, Whole, wrong
from shared.schemas.job import JobSchema

JOBS_PAGE_MAX: Final = 200
_DEFAULT_LIMIT: Final = 50
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class JobId(Text):
    """The id of a job."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _ID.fullmatch(text):
            raise wrong(NOT_CURSOR, f"{quoted(text)} is no job's id; take it from next")
        return text


class JobListQuery(Schema):
    """The parameters of GET /v1/jobs; a job is listed when it matches all of them."""

    state = Choice(*(state.value for state in JobState), metadata=_doc("Jobs in this state."))
    kind = Choice(*(kind.value for kind in JobKind), metadata=_doc("Jobs of this kind."))
    label = Labels(
        metadata=_doc("Jobs with this label, `name:value`; with several of them, jobs that have all.")
    )
    reference = Line(most=REFERENCE_CHARS, metadata=_doc("Jobs that are called so."))
    createdAfter = Moment(metadata=_doc("Jobs made at this moment or later."))
    createdBefore = Moment(metadata=_doc("Jobs made before this moment."))
    failed = Flag(metadata=_doc("`true`: jobs of which an order was rejected; `false`: all others."))
    limit = Whole(
        least=1,
        most=JOBS_PAGE_MAX,
        load_default=_DEFAULT_LIMIT,
        metadata=_doc("Jobs in the page; 50 unless told."),
    )
    after = JobId(most=36, filled=True, metadata=_doc("Jobs behind this one: the id of the last one so far."))

    def __init__(self, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone


def job_filter(values: dict[str, Any], client_id: int | None) -> JobFilter:
    """Make the filter of a query's values."""
    return JobFilter(
        limit=values["limit"],
        client_id=client_id,
        after=UUID(values["after"]) if "after" in values else None,
        state=None if "state" not in values else JobState(values["state"]),
        kind=None if "kind" not in values else JobKind(values["kind"]),
        created_from=values.get("createdAfter"),
        created_before=values.get("createdBefore"),
        failed=values.get("failed"),
        reference=values.get("reference"),
        labels=values.get("label"),
    )


class JobListSchema(Schema):
    """A page of jobs."""

    status = fields.Constant("ok", metadata=_doc("ok"))
    jobs = fields.List(fields.Nested(JobSchema), metadata=_doc("Newest first."))
    next = fields.String(allow_none=True, metadata=_doc("Where the page of older jobs is; else null."))


@cache
def _schema() -> JobListSchema:
    return JobListSchema()


def job_list_json(page: JobPage, next_: str | None) -> dict[str, Any]:
    """Give a page of jobs, ready for a JSON writer."""
    shown: dict[str, Any] = _schema().dump({"jobs": page.jobs, "next": next_})
    return shown
