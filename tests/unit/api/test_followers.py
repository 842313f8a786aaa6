"""Followers of a job: what is told never runs backwards, and nothing goes on when nobody follows."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from api.jobs.followers import FollowedJob, Followers
from api.jobs.versions import version_of
from shared.domain.job import Job
from tests.support.until import until

if TYPE_CHECKING:
    from shared.events import Hearer

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
JOB = Job(
    id=UUID("01997c1e-0000-7000-8000-0000000000aa"),
    client_id=1,
    api_key_id=1,
    request_id="r",
    total=10,
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
)


class Events:
    """Hears of nothing by itself."""

    def __init__(self) -> None:
        self.hearers: list[Hearer] = []

    def add(self, job_id: UUID, hearer: Hearer) -> None:
        assert job_id == JOB.id
        self.hearers.append(hearer)

    def remove(self, job_id: UUID, hearer: Hearer) -> None:
        assert job_id == JOB.id
        self.hearers.remove(hearer)


def decided(count: int) -> Job:
    return replace(JOB, decided=count, ok=count, started_at=NOW)


def test_whatever_is_told_of_a_job_has_a_tag_of_its_own() -> None:
    begun = replace(JOB, started_at=NOW)
    cancelling = replace(begun, cancel_requested_at=NOW)
    jobs = [JOB, begun, cancelling, decided(1), replace(decided(1), ok=0, codes={-2: 1})]

    assert len({version_of(job).tag for job in jobs}) == len(jobs)
    assert version_of(JOB).tag == version_of(replace(JOB)).tag


def test_a_reading_that_comes_late_is_not_told() -> None:
    followed = FollowedJob(version_of(decided(5)), lambda: None)

    followed.publish(version_of(decided(4)))
    followed.publish(version_of(JOB))

    assert followed.other_than(lambda _: False, 0) == version_of(decided(5))


def test_what_was_read_by_who_joins_is_told_to_all() -> None:
    followers = Followers(Events(), lambda _: decided(3))

    with followers.following(version_of(JOB)) as first, followers.following(version_of(decided(7))) as second:
        assert first is second
        assert first.other_than(lambda one: one.job.decided < 7, 5) == version_of(decided(7))


def test_nothing_goes_on_when_nobody_follows() -> None:
    events = Events()
    followers = Followers(events, lambda _: decided(1))
    before = threading.active_count()

    for _ in range(3):
        with followers.following(version_of(JOB)) as followed:
            assert followed.other_than(lambda one: one.job.decided == 0, 5) == version_of(decided(1))
            assert len(events.hearers) == 1

    until(lambda: threading.active_count() <= before, "its thread ends")
    assert events.hearers == []


def test_what_happens_while_it_is_read_is_read_again_at_once() -> None:
    events, readings = Events(), [decided(1), decided(2)]
    followers = Followers(events, lambda _: heard_within())

    def heard_within() -> Job:
        if len(readings) > 1:
            events.hearers[0].heard(7)
        return readings.pop(0) if readings else decided(2)

    with followers.following(version_of(JOB)) as followed:
        found = followed.other_than(lambda one: one.job.decided < 2, 5)

    assert found == version_of(decided(2))
