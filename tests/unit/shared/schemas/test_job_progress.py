"""What a job says of itself (contract §5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.job import Job, JobState
from shared.schemas.job import job_json

MADE = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 20, 0, 0, 1500, tzinfo=timezone(timedelta(hours=1)))


def job(total: int, decided: int = 0, ok: int = 0, cancelled: int = 0, **more: Any) -> Job:
    return Job(
        id=UUID("01a209af-3b0c-7ce6-836e-bae03ff047b9"),
        client_id=1,
        api_key_id=1,
        request_id="r-1",
        total=total,
        created_at=MADE,
        expires_at=MADE + timedelta(days=30),
        decided=decided,
        finished_at=more.pop("finished_at", LATER if decided == total else None),
        ok=ok,
        cancelled=cancelled,
        codes={-7: 20, -1: 1, -2: 80},
        **more,
    )


def test_a_job_is_written_as_in_the_contracts_example() -> None:
    shown = job_json(job(10_000, 6_100, 6_000, started_at=LATER))

    assert shown == {
        "id": "01a209af-3b0c-7ce6-836e-bae03ff047b9",
        "kind": "orders",
        "state": "running",
        "done": False,
        "total": 10_000,
        "pending": 3_900,
        "ok": 6_000,
        "failed": 100,
        "cancelled": 0,
        "percent": 61.0,
        "codes": {"-1": 1, "-2": 80, "-7": 20},
        "reference": None,
        "labels": {},
        "dryRun": False,
        "ordered": False,
        "atomic": False,
        "uniqueKeys": False,
        "maxFailed": None,
        "notBefore": None,
        "createdAt": "2026-11-23T18:00:00.000000Z",
        "startedAt": "2026-11-23T19:00:00.001500Z",
        "finishedAt": None,
        "expiresAt": "2026-12-23T18:00:00.000000Z",
        "retryOf": None,
        "retries": [],
        "links": {
            "self": "/v1/jobs/01a209af-3b0c-7ce6-836e-bae03ff047b9",
            "results": "/v1/jobs/01a209af-3b0c-7ce6-836e-bae03ff047b9/results",
        },
    }
    assert list(shown["codes"]) == ["-1", "-2", "-7"]


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (job(2), JobState.QUEUED),
        (job(2, started_at=LATER), JobState.RUNNING),
        (job(2, 1, 1, started_at=LATER), JobState.RUNNING),
        (job(2, 2, 2, started_at=LATER), JobState.SUCCEEDED),
        (job(2, 2, 1, started_at=LATER), JobState.PARTIALLY_SUCCEEDED),
        (job(2, 2, 0, started_at=LATER), JobState.FAILED),
        (job(2, 2, 1, 1, started_at=LATER), JobState.CANCELLED),
        (job(2, 1, started_at=LATER, cancel_requested_at=LATER), JobState.CANCELLING),
        (job(0), JobState.SUCCEEDED),
    ],
)
def test_the_state_follows_from_the_counts(seen: Job, state: JobState) -> None:
    assert seen.state is state


def test_a_job_is_finished_when_its_row_says_so() -> None:
    # All its orders are decided, and nobody has said yet that it is finished.
    assert job(2, 2, 1, started_at=MADE, finished_at=None).state is JobState.RUNNING
    assert job_json(job(2, 2, 1, started_at=MADE, finished_at=None))["percent"] == 99.9
    assert job(2, 2, 1, started_at=MADE, finished_at=LATER).state is JobState.PARTIALLY_SUCCEEDED


@given(st.data())
def test_the_counts_always_add_up_and_100_percent_means_done(data: st.DataObject) -> None:
    total = data.draw(st.integers(0, 200_000))
    decided = data.draw(st.integers(0, total))
    ok = data.draw(st.integers(0, decided))
    cancelled = data.draw(st.integers(0, decided - ok))

    shown = job_json(job(total, decided, ok, cancelled))

    assert shown["pending"] + shown["ok"] + shown["failed"] + shown["cancelled"] == total
    assert (shown["percent"] == 100.0) == shown["done"]
    assert min(shown["pending"], shown["failed"]) >= 0
