"""Responses of the server as a client reads them: outcomes, jobs and errors; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

# The exit codes of every command.
ALL_OK = 0
SOME_FAILED = 1
NOT_DONE = 2

# What the seed document says of each code, in few words.
CODE_MEANINGS = {
    -1: "product cannot be added",
    -2: "stock missing",
    -3: "order is empty",
    -4: "required field missing",
    -5: "order number exists",
    -6: "customer registration failed",
    -7: "general, see the message",
}


class Outcome(msgspec.Struct, frozen=True):
    """One order's outcome, as far as a client needs to know it."""

    status: str
    code: int = 0
    msg: str = ""

    @property
    def ok(self) -> bool:
        """Whether the order was created or prepared."""
        return self.status == "ok"


class JobReport(msgspec.Struct, frozen=True, rename="camel"):
    """A job as ``GET /v1/jobs/<id>`` tells it; times are RFC 3339."""

    id: str
    state: str
    done: bool
    total: int
    pending: int
    ok: int
    failed: int
    cancelled: int
    percent: float
    codes: dict[str, int]
    reference: str | None = None
    labels: dict[str, str] = {}
    dry_run: bool = False
    not_before: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    expires_at: str | None = None
    links: dict[str, str] = {}

    @property
    def decided(self) -> int:
        """How many of the job's orders have their outcome."""
        return self.total - self.pending


class JobList(msgspec.Struct, frozen=True):
    """A page of jobs as ``GET /v1/jobs`` tells it, and where the next one is."""

    jobs: list[JobReport]
    next: str | None = None


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """The envelope in which the server refuses a whole request."""

    code: int
    msg: str


_outcomes = msgspec.json.Decoder(dict[str, Outcome])
_job = msgspec.json.Decoder(JobReport)
_job_list = msgspec.json.Decoder(JobList)
_api_error = msgspec.json.Decoder(ErrorEnvelope)


def read_outcomes(body: bytes) -> dict[str, Outcome]:
    """Key → outcome, in the answer's order. Raises msgspec.MsgspecError."""
    return _outcomes.decode(body)


def read_job(body: bytes) -> JobReport:
    """Read a job's answer. Raises msgspec.MsgspecError."""
    return _job.decode(body)


def read_job_list(body: bytes) -> JobList:
    """Read a page of jobs. Raises msgspec.MsgspecError."""
    return _job_list.decode(body)


def read_api_error(body: bytes) -> ErrorEnvelope | None:
    """Read the envelope of an error; None when ``body`` is not one, such as a proxy's own error page."""
    try:
        return _api_error.decode(body)
    except msgspec.MsgspecError:
        return None


def counts_by_code(outcomes: Mapping[str, Outcome]) -> dict[int, int]:
    """Count the outcomes of each code; successes come first, under 0, then -1, -2 and so on."""
    counts = Counter(0 if outcome.ok else outcome.code for outcome in outcomes.values())
    return dict(sorted(counts.items(), reverse=True))


def exit_code(outcomes: Mapping[str, Outcome]) -> int:
    """0 when every order succeeded, else 1."""
    return ALL_OK if all(outcome.ok for outcome in outcomes.values()) else SOME_FAILED


def job_exit_code(job: JobReport) -> int:
    """0 when every order of the job succeeded, 1 when some did not, 2 while it is not done."""
    if not job.done:
        return NOT_DONE
    return ALL_OK if job.failed == 0 and job.cancelled == 0 else SOME_FAILED
