"""A job is finished once, by whoever closes its last slice; and told at the same cost whatever its size."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared import persistence
from shared.clock import utc_now
from shared.domain.job import Job, JobState
from shared.persistence.access.keys import create_api_key
from shared.persistence.core.database import transaction
from shared.persistence.jobs.close import ClosedSlice, close_slices, finish_ended_jobs, finish_jobs
from shared.persistence.jobs.insert import insert_job
from shared.persistence.jobs.progress import JOBS, find_job
from shared.persistence.jobs.slices import claim_slice
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import order
from tests.support.stored_jobs import Slices, close_slice, new_job_of, rows
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness
from worker.maintenance.finish import FinishEndedJobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


def stored_job(engine: Engine, slices: int) -> tuple[UUID, list[int]]:
    """Store a job of so many slices of ten orders, of the only client; its id and theirs."""
    if not rows(engine, "SELECT id FROM api_keys"):
        create_api_key(engine, "Shop", ["orders:write"], None, None, utc_now())
    new = new_job_of(1, slices * 10)
    return new.job.id, insert_job(engine, new, Slices(slices)).slice_ids


def take(engine: Engine, *slice_ids: int) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE slices SET attempts = 1, started_at = now() WHERE id = ANY(:ids)"),
            {"ids": list(slice_ids)},
        )


def close(connection: Connection, job_id: UUID, slice_id: int, total: int) -> list[UUID]:
    """Close a slice, nine orders of it created and one short of stock; gives the jobs that this finished."""
    assert claim_slice(connection, slice_id) is not None
    closed = ClosedSlice(
        id=slice_id,
        job_id=job_id,
        order_count=10,
        job_total=total,
        outcomes=b'{"a":1}',
        ok_count=9,
        codes={"-2": 1},
    )
    return close_slices(connection, [closed]).finished


@contextmanager
def closing(engine: Engine, job_id: UUID, slice_id: int, total: int) -> Iterator[list[UUID]]:
    """A transaction that has closed a slice, and commits at the end of the block."""
    with transaction(engine) as connection:
        yield close(connection, job_id, slice_id, total)


def found(engine: Engine, job_id: UUID) -> Job:
    job = find_job(engine, job_id)
    assert job is not None
    return job


def finished_at(engine: Engine, job_id: UUID) -> Any:
    return rows(engine, "SELECT finished_at FROM jobs WHERE id = :id", id=job_id)[0][0]


def test_the_last_slice_writes_the_jobs_counts_codes_and_end_in_its_own_transaction(engine: Engine) -> None:
    job_id, slice_ids = stored_job(engine, 3)
    take(engine, *slice_ids)
    for slice_id in slice_ids[:2]:
        with closing(engine, job_id, slice_id, 30) as finished:
            assert finished == []
    assert finished_at(engine, job_id) is None

    with closing(engine, job_id, slice_ids[2], 30) as finished:
        assert finished == [job_id]

    [row] = rows(engine, "SELECT ok_count, cancelled_count, codes, finished_at, started_at FROM jobs")
    assert (row.ok_count, row.cancelled_count, row.codes) == (27, 0, {"-2": 3})
    assert (row.finished_at, row.started_at) == tuple(
        rows(engine, "SELECT max(closed_at), min(started_at) FROM slices")[0]
    )
    assert rows(engine, "SELECT * FROM job_progress") == []


def test_of_two_that_close_the_last_slices_at_once_one_finishes_the_job(engine: Engine) -> None:
    job_id, slice_ids = stored_job(engine, 2)
    take(engine, *slice_ids)

    with ThreadPoolExecutor(1) as pool:
        with closing(engine, job_id, slice_ids[0], 20) as first:

            def close_the_other() -> list[UUID]:
                with closing(engine, job_id, slice_ids[1], 20) as finished:
                    return finished

            other = pool.submit(close_the_other)
            until(lambda: waiting_for_locks(engine) == 1, "the other waits for the job's row")
        second = other.result(30)

    assert (first, second) == ([], [job_id])
    assert found(engine, job_id).ok == 18


def test_who_cannot_be_the_last_waits_for_nobody(engine: Engine) -> None:
    job_id, slice_ids = stored_job(engine, 6)
    take(engine, *slice_ids[:5])

    # Five workers in the middle of their commits, and the sixth slice that nobody has taken.
    with ExitStack() as open_transactions:
        for slice_id in slice_ids[:5]:
            assert open_transactions.enter_context(closing(engine, job_id, slice_id, 60)) == []

    assert found(engine, job_id).decided == 50


def test_a_job_that_nobody_finished_is_finished_by_who_reads_it_and_by_the_scheduler(engine: Engine) -> None:
    overtaken = []
    for _ in range(2):
        job_id, (slow, fast) = stored_job(engine, 2)
        take(engine, slow)
        # It sees a slice that nobody has taken; before it commits, that one is closed by somebody else.
        with closing(engine, job_id, slow, 20) as finished:
            assert finished == []
            take(engine, fast)
            with closing(engine, job_id, fast, 20) as by_the_faster:
                assert by_the_faster == []
        assert finished_at(engine, job_id) is None
        overtaken.append(job_id)

    assert found(engine, overtaken[0]).state is JobState.PARTIALLY_SUCCEEDED
    look = FinishEndedJobs(engine)
    assert (look(), look()) == (1, 0)
    assert finished_at(engine, overtaken[1]) is not None


def test_the_scheduler_looks_at_all_unfinished_jobs_in_turn_and_leaves_those_alone_that_run(
    engine: Engine,
) -> None:
    running = [stored_job(engine, 1)[0] for _ in range(3)]
    ended, (slice_id,) = stored_job(engine, 1)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE slices SET closed_at = now(), outcomes = '{}', ok_count = 0, codes = '{}'"
                " WHERE id = :id"
            ),
            {"id": slice_id},
        )

    look = FinishEndedJobs(engine, at_once=3)

    assert [look(), look(), look()] == [0, 1, 0]
    assert finished_at(engine, ended) is not None
    assert [finished_at(engine, job_id) for job_id in running] == [None] * 3


def test_a_job_is_finished_once_however_often_that_is_asked_for(engine: Engine) -> None:
    job_id, (slice_id,) = stored_job(engine, 1)
    with closing(engine, job_id, slice_id, 10) as finished:
        assert finished == [job_id]
    first = finished_at(engine, job_id)

    with transaction(engine) as connection:
        assert finish_jobs(connection, [job_id]) == []

    assert finished_at(engine, job_id) == first
    assert finish_ended_jobs(engine, [job_id]) == []


def test_progress_is_counted_with_the_slices_and_never_runs_backwards(engine: Engine) -> None:
    job_id, slice_ids = stored_job(engine, 4)
    take(engine, *slice_ids)
    told = [found(engine, job_id)]
    for slice_id in slice_ids:
        close_slice(engine, slice_id, b'{"a":1}', 7, {"-2": 2, "-7": 1})
        told.append(found(engine, job_id))

    assert [job.decided for job in told] == [0, 10, 20, 30, 40]
    assert [job.ok for job in told] == [0, 7, 14, 21, 28]
    assert told[2].codes == {-2: 4, -7: 2}
    assert told[4].codes == {-2: 8, -7: 4}
    assert [job.done for job in told] == [False] * 4 + [True]
    assert len({job.started_at for job in told[1:]}) == 1


def test_many_that_close_at_once_count_every_order_once(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=30)
    slice_ids = worker.accept({f"k{i}": order() for i in range(60)}, per=2)

    worker.settle_racing(slice_ids)

    job = found(worker.engine, worker.jobs[0])
    assert (job.done, job.total, job.ok, job.failed, dict(job.codes)) == (True, 60, 30, 30, {-2: 30})


def pages_read(engine: Engine, job_id: UUID) -> int:
    """Pages of tables and indexes that reading a job looks at."""
    query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {JOBS} WHERE jobs.id = :id"
    plan = rows(engine, query, id=job_id)[0][0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_finished_job_of_a_thousand_slices_is_read_as_one_of_one(engine: Engine) -> None:
    small, large = stored_job(engine, 1), stored_job(engine, 1_000)
    for job_id, slice_ids in (small, large):
        with transaction(engine) as connection:
            closed = [
                ClosedSlice(
                    id=slice_id,
                    job_id=job_id,
                    order_count=10,
                    job_total=10 * len(slice_ids),
                    outcomes=b"{}",
                    ok_count=10,
                    codes={},
                )
                for slice_id in slice_ids
            ]
            assert close_slices(connection, closed).finished == [job_id]
    # A level more in an index, or a row that moved, is none of its slices.
    assert pages_read(engine, large[0]) <= pages_read(engine, small[0]) + 5


def test_a_running_job_of_a_thousand_slices_is_read_nearly_as_one_of_one(engine: Engine) -> None:
    (small, [one]), (large, many) = stored_job(engine, 1), stored_job(engine, 1_000)
    take(engine, one, *many[:500])
    for slice_id in many[:100]:
        close_slice(engine, slice_id, b"{}", 10)

    # Its first slices are looked at for when it began, however many there are.
    assert pages_read(engine, large) <= pages_read(engine, small) + 60


def test_the_columns_of_the_migration_agree_with_what_was_closed_before(engine: Engine) -> None:
    done, (first,) = stored_job(engine, 1)
    running, slice_ids = stored_job(engine, 2)
    close_slice(engine, first, b"{}", 4, {"-2": 5, "-7": 1})
    close_slice(engine, slice_ids[0], b"{}", 8, {"-1": 2})
    expected = found(engine, done), found(engine, running)
    with engine.connect() as connection:
        migrated(connection)
        [row] = connection.execute(text("SELECT ok_count, codes FROM jobs WHERE id = :id"), {"id": done})
        [counted] = connection.execute(text("SELECT job_id, decided, ok, rejected FROM job_progress"))
        connection.rollback()

    assert (row.ok_count, row.codes) == (4, {"-2": 5, "-7": 1})
    assert tuple(counted) == (running, 10, 8, [2, 0, 0, 0, 0, 0, 0])
    assert [json.dumps(dict(job.codes)) for job in expected] == ['{"-2": 5, "-7": 1}', '{"-1": 2}']


def migrated(connection: Connection) -> None:
    scripts = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations"))
    migration = scripts.get_revision("0020").module
    with Operations.context(MigrationContext.configure(connection)):
        migration.downgrade()
        migration.upgrade()
