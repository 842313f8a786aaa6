"""Jobs inserted, and their progress, in the real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import uuid6
from sqlalchemy import text

from shared.domain.job import Job, JobState
from shared.persistence.core.errors import DatabaseAwayError, PermanentError
from shared.persistence.jobs.insert import NewSlice, Stored, insert_job
from shared.persistence.jobs.insert_many import insert_jobs
from shared.persistence.jobs.outcomes import NO_OUTCOMES, OutcomesGoneError, list_outcomes, read_outcomes
from shared.persistence.jobs.progress import find_job
from tests.support.stored_jobs import NOW, Slices, close_slice, new_job_of, rows

if TYPE_CHECKING:
    from sqlalchemy import Engine


def as_stored(job: Job, stored: Stored) -> Job:
    """The job with the moments of the database's clock."""
    return replace(
        job,
        created_at=stored.created_at,
        expires_at=stored.created_at + timedelta(days=30),
        finished_at=None if job.total else stored.created_at,
    )


def close(engine: Engine, slice_id: int, outcome: bytes, ok: int, codes: str = "{}") -> None:
    """Close a slice as a worker does."""
    close_slice(engine, slice_id, outcome, ok, json.loads(codes))


def test_a_job_and_its_slices_are_stored_as_they_are(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 30)

    slice_ids, created_at = insert_job(engine, new_job, Slices(3))

    stored = rows(
        engine,
        "SELECT id, number, first_position, order_count, body, repeated_numbers, queue, next_dispatch_at,"
        " closed_at FROM slices WHERE job_id = :id ORDER BY number",
        id=new_job.job.id,
    )
    assert [row.id for row in stored] == slice_ids
    assert [row.body for row in stored] == [new.body for new in Slices(3)]
    assert [row.first_position for row in stored] == [0, 10, 20]
    assert [row.repeated_numbers for row in stored] == [[], [13], []]
    assert {(row.queue, row.next_dispatch_at, row.closed_at) for row in stored} == {
        ("orders.large", created_at + timedelta(seconds=30), None)
    }
    [job] = rows(engine, "SELECT * FROM jobs")
    assert (job.created_at, job.expires_at) == (created_at, created_at + timedelta(days=30))
    assert (job.total, job.strict, job.request_id, job.api_key_id) == (30, True, "r-1", api_key_id)


def test_a_job_of_no_orders_has_no_slices_and_is_done(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 0)

    stored = insert_job(engine, new_job, Slices(0))

    assert stored.slice_ids == []
    assert find_job(engine, new_job.job.id) == as_stored(new_job.job, stored)


def test_inserting_the_same_job_twice_makes_one(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 20)

    first = insert_job(engine, new_job, Slices(2))
    second = insert_job(engine, new_job, Slices(2))

    assert second == first
    assert rows(engine, "SELECT count(*) FROM slices") == [(2,)]


def test_a_connection_lost_at_the_commit_is_mended_by_asking_again(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 20)

    with engine.begin() as connection:
        # A sequence is not rolled back, so only the first commit kills its own backend.
        connection.execute(text("CREATE SEQUENCE commits"))
        connection.execute(
            text(
                "CREATE FUNCTION die_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
                " RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER die_at_commit AFTER INSERT ON jobs INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION die_once()"
            )
        )

    slice_ids, _ = insert_job(engine, new_job, Slices(2))

    assert rows(engine, "SELECT last_value FROM commits") == [(2,)]
    assert len(slice_ids) == 2
    assert rows(engine, "SELECT id FROM slices ORDER BY number") == [(slice_id,) for slice_id in slice_ids]


def test_a_fault_half_way_through_the_slices_stores_nothing(engine: Engine, api_key_id: int) -> None:
    class Failing(Slices):
        def __iter__(self) -> Iterator[NewSlice]:
            for new in super().__iter__():
                yield replace(new, order_count=0) if new.number == 1 else new

    with pytest.raises(PermanentError) as raised:
        insert_job(engine, new_job_of(api_key_id, 20), Failing(2))

    assert raised.value.constraint == "slices_not_empty"
    assert rows(engine, "SELECT count(*) FROM jobs") == [(0,)]


def test_a_connection_lost_half_way_stores_nothing(engine: Engine, api_key_id: int) -> None:
    class Disconnecting(Slices):
        def __iter__(self) -> Iterator[NewSlice]:
            rows(
                engine,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            yield from super().__iter__()

    with pytest.raises(DatabaseAwayError):
        insert_job(engine, new_job_of(api_key_id, 10), Disconnecting(1))

    assert rows(engine, "SELECT count(*) FROM jobs") == [(0,)]


def test_progress_is_derived_from_the_slices(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 30)
    stored = insert_job(engine, new_job, Slices(3))
    slice_ids = stored.slice_ids
    queued = find_job(engine, new_job.job.id)
    close(engine, slice_ids[2], b'{"c":3}', 4, '{"-2": 5, "-7": 1}')
    close(engine, slice_ids[0], b'{"a":1}', 9, '{"-2": 1}')
    running = find_job(engine, new_job.job.id)
    close(engine, slice_ids[1], b'{"b":2}', 10)
    done = find_job(engine, new_job.job.id)

    assert queued == as_stored(new_job.job, stored)
    assert running is not None
    assert running.state is JobState.RUNNING
    assert (running.decided, running.ok, running.failed, running.pending) == (20, 13, 7, 10)
    assert running.codes == {-2: 6, -7: 1}
    assert done is not None
    assert done.state is JobState.PARTIALLY_SUCCEEDED
    assert (done.ok, done.failed, done.codes) == (23, 7, {-2: 6, -7: 1})


def test_outcomes_come_in_slice_order_as_far_as_they_are_there(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 30)
    slice_ids, _ = insert_job(engine, new_job, Slices(3))
    close(engine, slice_ids[2], b'{"c":3}', 10)
    close(engine, slice_ids[0], b'{"a":1}', 10)

    found = list_outcomes(engine, new_job.job.id, 100)

    assert (list(found.sizes), found.order_count) == ([7, 7], 20)
    assert found.first == [b'{"a":1}', b'{"c":3}']
    assert list(found.rest(100)) == []


def test_outcomes_beyond_the_first_bytes_are_listed_and_read_in_runs(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 30)
    slice_ids, _ = insert_job(engine, new_job, Slices(3))
    for position in (2, 0, 1):
        close(engine, slice_ids[position], b'{"%d":1}' % position, 10)

    found = list_outcomes(engine, new_job.job.id, 1)

    # One at least, however few bytes were asked for.
    assert found.first == [b'{"0":1}']
    assert list(found.rest(14)) == [slice_ids[1:]]
    assert list(found.rest(13)) == [[slice_ids[1]], [slice_ids[2]]]
    assert read_outcomes(engine, [slice_ids[2], slice_ids[1]]) == [b'{"1":1}', b'{"2":1}']


def test_outcomes_that_were_pruned_meanwhile_are_no_shorter_answer(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 20)
    slice_ids, _ = insert_job(engine, new_job, Slices(2))
    close(engine, slice_ids[0], b'{"a":1}', 10)

    with pytest.raises(OutcomesGoneError):
        read_outcomes(engine, [slice_ids[0], 999_999])


def test_an_unknown_job_is_none_and_has_no_outcomes(engine: Engine) -> None:
    unknown: UUID = uuid4()

    assert find_job(engine, unknown) is None
    nothing = list_outcomes(engine, unknown, 100)
    assert (list(nothing.slice_ids), nothing.order_count, nothing.first) == ([], 0, list(NO_OUTCOMES.first))


def test_an_api_hosts_clock_delays_neither_the_next_dispatch_nor_the_jobs_moments(
    engine: Engine, api_key_id: int
) -> None:
    fast = new_job_of(api_key_id, 10)
    tomorrow = NOW + timedelta(days=10_000)
    fast = replace(fast, job=replace(fast.job, created_at=tomorrow, expires_at=tomorrow + timedelta(days=30)))
    together = replace(fast, job=replace(fast.job, id=uuid6.uuid7()))

    alone = insert_job(engine, fast, Slices(1))
    shared = insert_jobs(engine, [(together, list(Slices(1)))])[together.job.id]

    moments = rows(
        engine,
        "SELECT jobs.created_at <= now() AS begun, expires_at - jobs.created_at AS kept,"
        " next_dispatch_at - jobs.created_at AS waits, jobs.created_at FROM jobs"
        " JOIN slices ON job_id = jobs.id ORDER BY slices.id",
    )
    assert [(row.begun, row.kept, row.waits) for row in moments] == [
        (True, timedelta(days=30), timedelta(seconds=30))
    ] * 2
    assert [row.created_at for row in moments] == [alone.created_at, shared.created_at]


def test_a_job_that_was_told_to_run_is_never_queued_again(engine: Engine, api_key_id: int) -> None:
    new_job = new_job_of(api_key_id, 20)
    insert_job(engine, new_job, Slices(2))

    def told_after(seconds: float) -> JobState:
        # A crash of PostgreSQL may forget what was taken in the last 0.6 seconds before it.
        with engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE slices SET attempts = 1, started_at = now() - make_interval(secs => :seconds)"
                    " WHERE number = 0"
                ),
                {"seconds": seconds},
            )
        job = find_job(engine, new_job.job.id)
        assert job is not None
        assert (job.started_at is None) == (job.state is JobState.QUEUED)
        return job.state

    assert [told_after(seconds) for seconds in (0, 0.6, 1.1)] == [
        JobState.QUEUED,
        JobState.QUEUED,
        JobState.RUNNING,
    ]
