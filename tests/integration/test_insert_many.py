"""Small batches that are stored in one commit: as durable as alone, and no batch's trouble is another's."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.persistence.core.errors import DatabaseAwayError, LimitError
from shared.persistence.jobs.insert import IdempotencyKeyUsedError, JobInsertUnknownError, insert_job
from shared.persistence.jobs.insert_many import JobInsertsUnknownError, insert_jobs
from tests.support.api import ApiClient
from tests.support.stored_jobs import Slices, new_job_of, rows
from tests.support.until import pause, until

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

    from shared.settings import Settings


def cut_a_connection(engine: Engine) -> None:
    """Have the next backend that inserts a job die of it."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE SEQUENCE cuts;"
                "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$"
                " BEGIN IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
                " RETURN NEW; END $$;"
                "CREATE TRIGGER cut BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION cut()"
            )
        )


_BLOCKED = "SELECT FROM pg_locks WHERE relation = 'jobs'::regclass AND NOT granted"


def post_at_once(api: ApiClient, requests: list[tuple[Any, dict[str, str]]]) -> list[TestResponse]:
    """Send batches while none can be stored, so that most of them meet."""
    answers: list[TestResponse | None] = [None] * len(requests)

    def ask(n: int) -> None:
        body, headers = requests[n]
        answers[n] = api.post(body, Prefer="respond-async", **headers)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(requests))]
    with api.engine.begin() as connection:
        connection.execute(text("LOCK TABLE jobs IN SHARE MODE"))
        for thread in threads:
            thread.start()
        until(lambda: rows(api.engine, _BLOCKED), "one of them waits to store its own")
        pause(0.3, "the others meet behind it")
    for thread in threads:
        thread.join(30)
    return [answer for answer in answers if answer is not None]


def test_several_jobs_are_stored_as_they_are(engine: Engine, api_key_id: int) -> None:
    one, two = new_job_of(api_key_id, 20), new_job_of(api_key_id, 10)
    two = replace(two, idempotency_key="k", request_hash=b"h" * 32, queue="q")

    stored = insert_jobs(engine, [(one, list(Slices(2))), (two, list(Slices(1)))])

    found = rows(
        engine,
        "SELECT id, job_id, number, first_position, order_count, body, repeated_numbers, queue,"
        " next_dispatch_at, attempts, dispatches FROM slices ORDER BY id",
    )
    assert [row.id for row in found] == [*stored[one.job.id].slice_ids, *stored[two.job.id].slice_ids]
    assert [(row.job_id, row.number) for row in found] == [(one.job.id, 0), (one.job.id, 1), (two.job.id, 0)]
    assert [row.body for row in found] == [new.body for new in (*Slices(2), *Slices(1))]
    assert [row.repeated_numbers for row in found] == [[], [13], []]
    assert [row.queue for row in found] == [one.queue, one.queue, "q"]
    (created_at,) = {one.created_at for one in stored.values()}
    assert {row.next_dispatch_at - created_at for row in found} == {timedelta(seconds=30)}
    jobs = rows(engine, "SELECT * FROM jobs ORDER BY total DESC")
    assert [(job.id, job.total, job.strict, job.form, job.idempotency_key) for job in jobs] == [
        (one.job.id, 20, True, "batch", None),
        (two.job.id, 10, True, "batch", "k"),
    ]
    whose = {(job.api_key_id, job.request_id, job.created_at) for job in jobs}
    assert whose == {(api_key_id, "r-1", created_at)}
    assert len(rows(engine, "SELECT xmin::text FROM jobs UNION SELECT xmin::text FROM slices")) == 1


def test_a_key_that_is_in_use_leaves_out_its_own_job_alone(engine: Engine, api_key_id: int) -> None:
    free = new_job_of(api_key_id, 10)
    used, again, twice = (
        replace(new_job_of(api_key_id, 10), idempotency_key="used", request_hash=b"h" * 32) for _ in range(3)
    )
    insert_job(engine, used, Slices(1))

    stored = insert_jobs(engine, [(one, list(Slices(1))) for one in (again, free, twice, used)])

    assert list(stored) == [free.job.id]
    assert rows(engine, "SELECT count(*) FROM jobs") == [(2,)]
    with pytest.raises(IdempotencyKeyUsedError):
        insert_job(engine, again, Slices(1))


def test_a_connection_lost_in_the_middle_leaves_it_open_whether_they_are_stored(
    engine: Engine, api_key_id: int
) -> None:
    new_jobs = [(new_job_of(api_key_id, 10), list(Slices(1))) for _ in range(2)]
    cut_a_connection(engine)

    with pytest.raises(JobInsertsUnknownError):
        insert_jobs(engine, new_jobs)
    stored = insert_jobs(engine, new_jobs)

    assert len(stored) == 2
    # And what was stored after all is found when it is asked for alone.
    for new_job, slices in new_jobs:
        assert insert_job(engine, new_job, Slices(len(slices)), perhaps_stored=True) == stored[new_job.job.id]
    assert rows(engine, "SELECT count(*) FROM jobs") == [(2,)]


def test_what_perhaps_was_stored_stays_unknown_while_the_database_is_away(
    engine: Engine, api_key_id: int
) -> None:
    new_job = new_job_of(api_key_id, 10)
    cut_a_connection(engine)

    with pytest.raises(JobInsertUnknownError) as caught:
        insert_job(engine, new_job, Slices(1), perhaps_stored=True)

    assert caught.value.job_id == new_job.job.id


def test_a_database_that_is_away_from_the_start_has_stored_nothing(settings: Settings) -> None:
    from shared.persistence.core.database import open_database  # noqa: PLC0415 - only here

    away = open_database(replace(settings, database_url="postgresql://x@127.0.0.1:9/x"), "test")

    with pytest.raises(DatabaseAwayError) as caught:
        insert_jobs(away, [(new_job_of(1, 10), list(Slices(1)))])

    assert not isinstance(caught.value, JobInsertsUnknownError)


def test_batches_that_meet_share_commits_and_messages(api: ApiClient) -> None:
    answers = post_at_once(api, [({f"k{n}": {}}, {}) for n in range(16)])

    assert [answer.status_code for answer in answers] == [202] * 16
    ids = {answer.get_json()["id"] for answer in answers}
    assert len(ids) == api.job_count() == 16
    assert api.rows("SELECT count(DISTINCT xmin::text) FROM jobs")[0][0] < 16
    assert len(api.open_slices()) == 16


def test_each_of_those_who_wait_gets_its_own_answer(api: ApiClient) -> None:
    answers: dict[int, Any] = {}

    def ask(n: int) -> None:
        answers[n] = api.post({f"k{n}": {}}).get_json()

    with api.worker():
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert {n: list(answer) for n, answer in answers.items()} == {n: [f"k{n}"] for n in range(16)}


def test_a_key_that_was_used_for_another_batch_is_told_to_its_own_request_alone(api: ApiClient) -> None:
    first = api.post({"a": {}}, Prefer="respond-async", Idempotency_Key="used")
    others: list[Any] = [({f"k{n}": {}}, {}) for n in range(6)]

    answers = post_at_once(
        api,
        [
            *others,
            ({"b": {}}, {"Idempotency_Key": "used"}),
            ({"a": {}}, {"Idempotency_Key": "used"}),
            ({"c": {}}, {"Idempotency_Key": "new"}),
            ({"c": {}}, {"Idempotency_Key": "new"}),
        ],
    )

    assert [answer.status_code for answer in answers] == [202] * 6 + [422, 202, 202, 202]
    assert answers[7].headers["Location"] == first.headers["Location"]
    assert answers[8].headers["Location"] == answers[9].headers["Location"]
    assert api.job_count() == 1 + 6 + 1


def test_a_fault_of_one_is_not_shown_to_the_others(api: ApiClient) -> None:
    with api.engine.begin() as connection:
        connection.execute(text("ALTER TABLE jobs ADD CONSTRAINT no_forty CHECK (total <> 40)"))
    large: dict[str, Any] = {f"k{n}": {} for n in range(40)}
    bodies: list[dict[str, Any]] = [{"a": {}}, {"b": {}}, large, {"c": {}}, large]

    answers = post_at_once(api, [(body, {}) for body in bodies])

    assert [answer.status_code for answer in answers] == [202, 202, 500, 202, 500]
    assert api.job_count() == 3


def test_a_lost_connection_in_the_middle_is_survived_by_all_who_shared_it(api: ApiClient) -> None:
    cut_a_connection(api.engine)

    answers = post_at_once(api, [({f"k{n}": {}}, {}) for n in range(8)])

    assert [answer.status_code for answer in answers] == [202] * 8
    assert api.job_count() == 8


def test_while_the_queue_is_away_all_are_accepted_all_the_same(api: ApiClient) -> None:
    lonely = api.with_settings(redis_url="redis://127.0.0.1:9/0", rate_limit_per_minute=0)

    answers = post_at_once(lonely, [({f"k{n}": {}}, {}) for n in range(6)])

    assert [answer.status_code for answer in answers] == [202] * 6
    assert api.job_count() == 6


def test_a_key_that_somebody_has_not_committed_keeps_no_other_batch_waiting(
    engine: Engine, api_key_id: int
) -> None:
    free = new_job_of(api_key_id, 10)
    keyed = replace(new_job_of(api_key_id, 10), idempotency_key="slow", request_hash=b"h" * 32)
    names = {"id": uuid4(), "api_key_id": api_key_id}
    with engine.connect() as slow:
        # Another process stores a large batch under the same key, and takes its time.
        slow.execute(
            text(
                "INSERT INTO jobs (id, client_id, api_key_id, request_id, total, created_at, expires_at,"
                " idempotency_key, request_hash) VALUES (:id, :api_key_id, :api_key_id, 'r', 1,"
                " now(), now(), 'slow', 'h')"
            ),
            names,
        )
        begun = time.monotonic()
        with pytest.raises(LimitError):
            insert_jobs(engine, [(one, list(Slices(1))) for one in (keyed, free)])
        told_after = time.monotonic() - begun
        stored = insert_jobs(engine, [(free, list(Slices(1)))])

    # The limit for a request's own locks is ten seconds.
    assert told_after < 5
    assert list(stored) == [free.job.id]
    assert rows(engine, "SHOW lock_timeout") == [("10s",)]
