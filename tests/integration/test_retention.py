"""Nothing grows for ever: jobs expire and are pruned, and their orders stay (RETENTION_DAYS)."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import uuid6
from sqlalchemy import text
from structlog.testing import capture_logs

from shared.persistence.jobs.prune import prune_jobs
from shared.queue.job_queue import JobQueue
from tests.support.old_jobs import ANY, BATCH, accepted, done, grow_old
from tests.support.placed_orders import Shop, told
from tests.support.until import until
from worker.maintenance.scheduler import keep_doing, periodic_tasks

if TYPE_CHECKING:
    from shared.settings import Settings

EVER = 10_000


def paths_left(shop: Shop) -> list[str]:
    return [f"/v1/jobs/{job_id}" for (job_id,) in shop.api.rows("SELECT id FROM jobs ORDER BY id")]


def test_a_job_can_be_asked_for_until_it_expires_and_is_410_then(shop: Shop) -> None:
    path = done(shop)
    shown = told(shop.api.get(path))

    assert datetime.fromisoformat(shown["expiresAt"]) - datetime.fromisoformat(
        shown["createdAt"]
    ) == timedelta(days=30)
    in_time, too_late = shop.api.in_days(29.99), shop.api.in_days(30)
    assert len(told(in_time.get(f"{path}/results"))) == 3
    for asked in (path, f"{path}/results"):
        refused = too_late.get(asked)
        assert refused.status_code == 410
        assert "The job has expired" in told(refused)["msg"]
        # It is still there, and is answered as it will be when it is not.
        assert paths_left(shop) == [path]


def test_what_is_pruned_is_410_and_its_orders_stay(shop: Shop) -> None:
    path = done(shop)
    orders = shop.orders()
    allocated = shop.api.rows("SELECT item_id, allocated FROM stock ORDER BY 1, 2")
    before = shop.api.in_days(30).get(path)
    grow_old(shop, 31)

    assert prune_jobs(shop.api.engine, ANY) == 1

    assert shop.api.rows("SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM slices)") == [(0, 0)]
    for asked in (path, f"{path}/results"):
        refused = shop.api.in_days(30).get(asked)
        assert (refused.status_code, told(refused)["msg"]) == (410, told(before)["msg"])
    assert len(orders) == 2
    assert shop.orders() == orders
    assert shop.api.rows("SELECT item_id, allocated FROM stock ORDER BY 1, 2") == allocated


def test_the_job_of_somebody_else_is_answered_like_none_at_any_age(shop: Shop) -> None:
    path = done(shop)
    late = shop.api.in_days(30)
    stranger = shop.api.new_key("Stranger", "orders:write", "orders:read")
    missing = f"/v1/jobs/{uuid6.uuid7()}"

    answers = [late.get(asked, stranger) for asked in (path, missing)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert answers[0].data == answers[1].data
    assert paths_left(shop) == [path]


def test_an_id_that_says_no_time_is_404_at_any_age(shop: Shop) -> None:
    unknown = UUID("01a209af-3b0c-4ce6-836e-bae03ff047b9")

    assert shop.api.in_days(EVER).get(f"/v1/jobs/{unknown}").status_code == 404


def test_what_has_not_expired_is_not_pruned(shop: Shop) -> None:
    path = done(shop)
    grow_old(shop, 29.99)

    assert prune_jobs(shop.api.engine, ANY) == 0
    assert paths_left(shop) == [path]


def test_an_accepted_job_is_never_let_go_of_undecided(shop: Shop) -> None:
    path = accepted(shop)
    grow_old(shop, 400)

    assert prune_jobs(shop.api.engine, ANY) == 0
    assert told(shop.api.get(path))["state"] == "queued"
    assert len(shop.settled(path)) == 3


def test_a_job_that_was_decided_late_is_kept_for_another_day(shop: Shop) -> None:
    path = accepted(shop)
    grow_old(shop, 400)
    shop.settled(path)

    shown = told(shop.api.get(path))

    assert datetime.fromisoformat(shown["expiresAt"]) - datetime.fromisoformat(
        shown["finishedAt"]
    ) == timedelta(days=1)
    assert len(told(shop.api.in_days(0.99).get(f"{path}/results"))) == 3
    assert shop.api.in_days(1).get(path).status_code == 410
    assert prune_jobs(shop.api.engine, ANY) == 0
    grow_old(shop, 1.01)
    assert prune_jobs(shop.api.engine, ANY) == 1


def test_rows_outlive_the_last_answer_so_that_whoever_has_found_the_job_finds_its_outcomes(
    shop: Shop,
) -> None:
    path = done(shop)
    grow_old(shop, 30)

    assert shop.api.get(path).status_code == 410
    assert prune_jobs(shop.api.engine, ANY) == 0
    grow_old(shop, 1 / 24)
    assert prune_jobs(shop.api.engine, ANY) == 1


def test_an_expired_idempotency_key_is_410_while_its_job_is_there_and_free_afterwards(shop: Shop) -> None:
    done(shop, Idempotency_Key="k")
    grow_old(shop, 31)

    refused = shop.api.post(BATCH, Idempotency_Key="k")
    assert (refused.status_code, paths_left(shop) != []) == (410, True)

    assert prune_jobs(shop.api.engine, ANY) == 1
    accepted = shop.api.post(BATCH, Idempotency_Key="k", Prefer="respond-async")
    assert accepted.status_code == 202
    assert "Idempotent-Replayed" not in accepted.headers


def test_one_transaction_prunes_about_so_many_slices_and_one_job_at_least(shop: Shop) -> None:
    # Three slices each.
    shop = replace(shop, api=shop.api.with_settings(slice_max_orders=1))
    paths = [done(shop) for _ in range(5)]
    grow_old(shop, 31)

    left = []
    while prune_jobs(shop.api.engine, 4):
        left.append(len(paths_left(shop)))
    assert (len(paths), left) == (5, [3, 1, 0])

    done(shop)
    grow_old(shop, 31)
    assert prune_jobs(shop.api.engine, 1) == 1


def test_the_scheduler_prunes_step_by_step_until_nothing_has_expired(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.maintenance.scheduler.PRUNED_AT_ONCE", 1)
    for _ in range(3):
        done(shop)
    undecided = accepted(shop)
    grow_old(shop, 31)
    stopping = threading.Event()

    with closing(JobQueue(settings)) as queue, capture_logs() as logged:
        work = periodic_tasks(shop.api.engine, queue, settings)
        scheduler = threading.Thread(target=keep_doing, args=(work, stopping.wait))
        scheduler.start()
        try:
            until(lambda: paths_left(shop) == [undecided], "all that has expired is pruned")
        finally:
            stopping.set()
            scheduler.join()

    assert [line["jobs"] for line in logged if line["event"] == "jobs_pruned"] == [1, 1, 1]


def test_two_schedulers_prune_beside_each_other(shop: Shop) -> None:
    paths = [done(shop) for _ in range(2)]
    grow_old(shop, 31)

    with shop.api.engine.begin() as other:
        other.execute(text("SELECT FROM jobs WHERE id = :id FOR UPDATE"), {"id": paths[0].rpartition("/")[2]})
        assert prune_jobs(shop.api.engine, ANY) == 1
        assert paths_left(shop) == [paths[0]]

    assert prune_jobs(shop.api.engine, ANY) == 1
