"""A batch that is to be decided later is decided no sooner, whoever comes by, and soon then (contract §2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pytest
import redis

from shared.clock import utc_now
from shared.domain.slicing import LARGE_QUEUE, LARGE_SURPLUS_QUEUE, SLICE_QUEUES
from shared.persistence.jobs.backlog import undecided
from shared.persistence.jobs.cancel import request_cancel
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice
from worker.maintenance.finish import FinishEndedJobs
from worker.maintenance.redispatch import sweep
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from shared.queue.job_queue import JobQueue

BATCH = {f"k{n}": order(line("BRASS-LAMP")) for n in range(3)}

pytestmark = pytest.mark.usefixtures("nothing_is_broken")


def in_hours(hours: float) -> str:
    return quote((utc_now() + timedelta(hours=hours)).isoformat())


def send(shop: Shop, hours: float = 1, query: str = "", **headers: str) -> TestResponse:
    answer = shop.api.post(BATCH, f"?notBefore={in_hours(hours)}{query}", **headers)
    assert answer.status_code == 202, answer.data
    return answer


def job_of(answer: TestResponse) -> Any:
    return told(answer)["id"]


def slice_ids(shop: Shop) -> list[int]:
    return [slice_id for slice_id, _, _ in shop.api.open_slices()]


def settle_all(shop: Shop) -> None:
    settle_message(shop.context, slice_ids(shop), LARGE_QUEUE)


def its_moment_comes(shop: Shop) -> None:
    """An hour passes, for all that is stored."""
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET not_before = not_before - interval '1 hour';"
            " UPDATE slices SET next_dispatch_at = next_dispatch_at - interval '1 hour'"
        )


def queued(shop: Shop) -> int:
    """How many messages there are for workers."""
    queue = shop.context.queue
    assert queue is not None
    return sum(queue.waiting(name) for name in SLICE_QUEUES)


def test_it_is_answered_with_its_job_however_long_its_client_would_wait(shop: Shop) -> None:
    moment = (utc_now() + timedelta(hours=1)).isoformat(timespec="microseconds").replace("+00:00", "Z")

    for headers in ({}, {"Prefer": "wait=30"}, {"Prefer": "respond-async"}):
        answer = shop.api.post(BATCH, f"?notBefore={moment}", **headers)

        job = told(answer)
        assert (answer.status_code, job["state"], job["notBefore"]) == (202, "queued", moment)
        assert "wait" not in answer.headers.get("Preference-Applied", "")
        assert told(shop.api.get(f"/v1/jobs/{job['id']}")) == job
    assert queued(shop) == 0


def test_a_moment_may_be_seven_days_ahead_and_no_more(shop: Shop) -> None:
    send(shop, hours=7 * 24 - 1)

    refused = shop.api.post(BATCH, f"?notBefore={in_hours(7 * 24 + 1)}")

    assert refused.status_code == 400
    assert "is more than 7 days ahead; send the batch later" in told(refused)["msg"]


def test_nothing_is_decided_sooner_by_whoever_comes_by(shop: Shop) -> None:
    send(shop)
    ids = slice_ids(shop)

    settle_message(shop.context, ids, LARGE_QUEUE)
    for slice_id in ids:
        assert settle_slice(shop.context, slice_id) is None

    assert slice_ids(shop) == ids
    # Nothing is held against it, and it has not begun.
    assert shop.api.rows("SELECT DISTINCT attempts, started_at FROM slices") == [(0, None)]


def test_no_sweep_dispatches_it_sooner_and_the_first_after_its_moment_does(
    shop: Shop, queue: JobQueue
) -> None:
    send(shop)
    ids = slice_ids(shop)

    early = [sweep(shop.api.engine, queue, shop.api.settings) for _ in range(2)]
    its_moment_comes(shop)
    due = sweep(shop.api.engine, queue, shop.api.settings)
    settle_all(shop)

    assert (early, due, slice_ids(shop)) == ([0, 0], len(ids), [])


def test_an_emptied_redis_brings_everything_but_what_is_to_be_decided_later(
    shop: Shop, queue: JobQueue
) -> None:
    queue.leave_canary()
    send(shop)
    shop.api.post(BATCH, Prefer="respond-async")
    later, plain = slice_ids(shop)
    with redis.Redis.from_url(shop.api.settings.redis_url) as client:
        client.flushdb()

    early = sweep(shop.api.engine, queue, shop.api.settings)
    settle_all(shop)
    left = slice_ids(shop)
    its_moment_comes(shop)
    due = sweep(shop.api.engine, queue, shop.api.settings)

    assert plain not in left
    assert (early, left, due) == (1, [later], 1)


def test_an_ordered_batch_begins_with_its_first_slice_when_its_moment_comes(
    shop: Shop, queue: JobQueue
) -> None:
    cut = Shop(shop.api.with_settings(slice_max_orders=1), shop.context)
    send(cut, query="&ordered=true")

    early = sweep(shop.api.engine, queue, shop.api.settings)
    its_moment_comes(shop)
    due = sweep(shop.api.engine, queue, shop.api.settings)
    for slice_id in slice_ids(shop):
        settle_slice(shop.context, slice_id)

    assert (early, due, slice_ids(shop)) == (0, 1, [])


def test_a_moment_that_is_past_means_nothing(shop: Shop) -> None:
    path = send(shop, hours=-1, Prefer="respond-async").headers["Location"]

    assert queued(shop) == 1
    assert [one["status"] for one in shop.settled(path).values()] == ["ok"] * 3


def test_a_batch_of_no_orders_is_done_whatever_its_moment(shop: Shop) -> None:
    assert shop.api.post({}, f"?notBefore={in_hours(1)}").status_code == 200


def test_cancelling_it_works_at_once(shop: Shop) -> None:
    path = f"/v1/jobs/{job_of(send(shop))}"

    answer = shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})

    assert (told(answer)["state"], told(answer)["cancelled"]) == ("cancelled", len(BATCH))


def test_one_whose_cancellation_was_left_half_done_is_closed_long_before_its_moment(
    shop: Shop, queue: JobQueue
) -> None:
    path = f"/v1/jobs/{job_of(send(shop))}"
    # The API dies between the two.
    request_cancel(shop.api.engine, job_of(shop.api.get(path)))

    swept = [sweep(shop.api.engine, queue, shop.api.settings) for _ in range(2)]
    settle_all(shop)

    assert swept == [1, 0]
    assert told(shop.api.get(path))["state"] == "cancelled"


def test_it_is_not_taken_for_one_that_nobody_finished(shop: Shop) -> None:
    path = f"/v1/jobs/{job_of(send(shop))}"

    assert FinishEndedJobs(shop.api.engine)() == 0
    assert told(shop.api.get(path))["state"] == "queued"


def test_what_it_holds_counts_as_undecided_and_takes_nobodys_turn(shop: Shop) -> None:
    [client] = shop.api.rows("SELECT id FROM clients")
    api = shop.api.with_settings(lane_share_orders=2, undecided_max_bytes=len(orjson.dumps(BATCH)) + 100)

    first = api.post(BATCH, f"?notBefore={in_hours(1)}")
    refused = api.post(BATCH, f"?notBefore={in_hours(2)}")
    found = undecided(api.engine, client.id)
    its_moment_comes(shop)
    then = undecided(api.engine, client.id)

    assert (first.status_code, refused.status_code) == (202, 429)
    assert {queue: size.weight for queue, size in found.items()} == {LARGE_SURPLUS_QUEUE: 0}
    assert {queue: size.weight for queue, size in then.items()} == {LARGE_SURPLUS_QUEUE: 3}
    assert found[LARGE_SURPLUS_QUEUE].size_bytes == then[LARGE_SURPLUS_QUEUE].size_bytes > 0


def test_what_is_sent_beside_it_keeps_its_lane(shop: Shop) -> None:
    api = shop.api.with_settings(lane_share_orders=4)

    for hours in (1, 2, 3):
        api.post(BATCH, f"?notBefore={in_hours(hours)}")
    plain = api.post(BATCH, Prefer="respond-async")

    rows = api.rows("SELECT DISTINCT queue FROM slices WHERE job_id = :id", id=job_of(plain))
    assert rows == [(LARGE_QUEUE,)]


def test_the_same_request_finds_it_before_and_after_its_moment(shop: Shop) -> None:
    query = f"?notBefore={in_hours(1)}"
    first = shop.api.post(BATCH, query, Idempotency_Key="later")

    early = shop.api.post(BATCH, query, Idempotency_Key="later", Prefer="wait=30")
    its_moment_comes(shop)
    settle_all(shop)
    late = shop.api.post(BATCH, query, Idempotency_Key="later")

    assert (job_of(early), early.status_code) == (job_of(first), 202)
    assert (late.status_code, late.headers["Idempotent-Replayed"]) == (200, "true")


def test_a_retry_of_it_is_decided_now(shop: Shop) -> None:
    path = f"/v1/jobs/{job_of(send(shop))}"
    headers = {"API-Authorization": shop.api.key, "Content-Type": "application/json"}
    shop.api.client.post(f"{path}/cancel", headers=headers)

    answer = shop.api.client.post(f"{path}/retry", data=b"{}", headers={**headers, "Prefer": "respond-async"})
    settle_all(shop)

    job = told(shop.api.get(answer.headers["Location"]))
    assert (job["notBefore"], job["state"]) == (None, "succeeded")
