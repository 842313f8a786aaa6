"""Versions of a job: what is told of it at a moment, and the entity tag by which that is known again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import orjson

from shared.domain.job import JobState
from shared.schemas.job import job_json

if TYPE_CHECKING:
    from shared.domain.job import Job

_STATES: Final = list(JobState)


@dataclass(frozen=True, slots=True)
class JobVersion:
    """A job as it was read, its JSON, and a tag that no other JSON has."""

    job: Job
    body: bytes
    tag: str

    def may_follow(self, earlier: JobVersion) -> bool:
        """Whether this may be told after another one: the counts of a job never run backwards."""
        return _progress(self.job) >= _progress(earlier.job)


def version_of(job: Job) -> JobVersion:
    """Give the version that a reading of a job is. All that is told is in its tag, a cancel mark too."""
    body = orjson.dumps(job_json(job))
    return JobVersion(job, body, sha256(body).hexdigest()[:32])


def _progress(job: Job) -> tuple[int, int]:
    return job.decided, _STATES.index(job.state)
