"""A cancelled job decides nothing more that no worker had in hand, and tells every key so (contract §5)."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from shared.domain.rejections import cancelled
from shared.persistence.core.database import transaction
from shared.persistence.jobs.slices import claim_slice
from shared.schemas.outcome import outcome_json
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import LeftError, settle_slice
from tests.support.until import until
from worker.context import open_worker_context

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

CANCELLED = outcome_json(cancelled())


def lamps(count: int) -> dict[str, Any]:
    return {f"lamp {number}": order(line("BRASS-LAMP")) for number in range(count)}


pytestmark = pytest.mark.usefixtures("nothing_is_broken")


def accepted(shop: Shop, count: int, *, per: int = 2) -> tuple[str, list[int]]:
    """Have a batch accepted, in slices of so many orders; its job's path, and the slices."""
    api = shop.api.with_settings(slice_max_orders=per, small_max_orders=1)
    path = api.post(lamps(count), Prefer="respond-async").headers["Location"]
    return path, [slice_id for slice_id, _, _ in shop.api.open_slices(path.rpartition("/")[2])]


def ask(shop: Shop, method: str, path: str, key: str = "") -> TestResponse:
    return shop.api.client.open(path, method=method, headers={"API-Authorization": key or shop.api.key})


def cancel(shop: Shop, path: str, key: str = "") -> TestResponse:
    return ask(shop, "POST", f"{path}/cancel", key)


def counts(job: dict[str, Any]) -> dict[str, int]:
    return {name: job[name] for name in ("pending", "ok", "failed", "cancelled")}


def test_what_is_not_decided_is_cancelled_at_once_and_what_was_decided_stays(shop: Shop) -> None:
    path, slice_ids = accepted(shop, 6)
    settle_slice(shop.context, slice_ids[0])
    before = told(shop.api.get(f"{path}/results"))

    response = cancel(shop, path)

    job = told(response)
    assert (response.status_code, job["state"], job["done"]) == (200, "cancelled", True)
    assert counts(job) == {"pending": 0, "ok": 2, "failed": 0, "cancelled": 4}
    assert job["codes"] == {}
    outcomes = told(shop.api.get(f"{path}/results"))
    assert list(outcomes) == [f"lamp {number}" for number in range(6)]
    assert {key: outcomes[key] for key in before} == before
    assert [outcomes[f"lamp {number}"] for number in range(2, 6)] == [CANCELLED] * 4
    assert (CANCELLED["code"], CANCELLED["retryable"]) == (-7, True)
    assert CANCELLED["errors"][0]["reason"] == "cancelled"
    assert len(shop.orders()) == 2


def test_cancelling_twice_or_a_job_that_is_done_changes_nothing(shop: Shop) -> None:
    path, _ = accepted(shop, 4)
    first = told(cancel(shop, path))
    done, slice_ids = accepted(shop, 2)
    settle_slice(shop.context, slice_ids[0])
    before = told(shop.api.get(done))

    assert told(cancel(shop, path)) == first
    assert told(cancel(shop, done)) == before
    assert before["state"] == "succeeded"


@contextmanager
def in_hand(shop: Shop, slice_id: int) -> Iterator[None]:
    with transaction(shop.api.engine) as connection:
        assert claim_slice(connection, slice_id) is not None
        yield


def test_what_a_worker_has_in_hand_is_finished(shop: Shop) -> None:
    path, slice_ids = accepted(shop, 6)
    with in_hand(shop, slice_ids[1]):
        job = told(cancel(shop, path))

        assert (job["state"], job["done"]) == ("cancelling", False)
        assert counts(job) == {"pending": 2, "ok": 0, "failed": 0, "cancelled": 4}
    # The worker let it go without a decision: whoever takes it now decides nothing more.
    settle_slice(shop.context, slice_ids[1])

    job = told(shop.api.get(path))
    assert (job["state"], counts(job)["cancelled"]) == ("cancelled", 6)
    assert shop.orders() == []


def test_a_slice_that_was_claimed_before_the_cancellation_is_decided(shop: Shop) -> None:
    path, slice_ids = accepted(shop, 4)
    with shop.api.engine.begin() as connection:
        # A slow worker: it waits for the stock while the job is cancelled.
        connection.execute(text("LOCK TABLE stock IN ACCESS EXCLUSIVE MODE"))
        worker = threading.Thread(target=settle_slice, args=(shop.context, slice_ids[0]))
        worker.start()
        until(
            lambda: waiting_for_locks(shop.api.engine) == 1,
            "the worker waits for the stock, with its slice in hand",
        )
        job = told(cancel(shop, path))
        assert counts(job) == {"pending": 2, "ok": 0, "failed": 0, "cancelled": 2}
    worker.join()

    job = told(shop.api.get(path))
    assert (job["state"], counts(job)) == (
        "cancelled",
        {"pending": 0, "ok": 2, "failed": 0, "cancelled": 2},
    )


def test_whoever_waits_for_a_cancelled_batch_is_answered_with_what_became_of_it(shop: Shop) -> None:
    responses: list[TestResponse] = []
    waiting = threading.Thread(target=lambda: responses.append(shop.api.post(lamps(3), Prefer="wait=30")))
    waiting.start()
    until(lambda: len(shop.api.open_slices()) == 3, "it is accepted")
    [(job_id,)] = shop.api.rows("SELECT id FROM jobs")

    cancel(shop, f"/v1/jobs/{job_id}")
    waiting.join()

    assert responses[0].status_code == 200
    assert set(map(str, told(responses[0]).values())) == {str(CANCELLED)}


def test_cancellations_that_race_with_workers_give_every_key_one_outcome(shop: Shop) -> None:
    chance = random.Random(7)  # noqa: S311 - the same shuffles every time
    for _ in range(4):
        path, slice_ids = accepted(shop, 24)
        contexts = [open_worker_context(shop.context.settings) for _ in range(2)]

        def work(number: int, ids: list[int], contexts: Any = contexts) -> None:
            for slice_id in ids:
                try:
                    settle_slice(contexts[number], slice_id)
                except LeftError:
                    continue

        shuffled = chance.sample(slice_ids, len(slice_ids))
        with ThreadPoolExecutor(4) as pool:
            working = [pool.submit(work, n, shuffled[n::2]) for n in range(2)]
            cancelling = [pool.submit(cancel, shop, path) for _ in range(2)]
            seen = [told(done.result()) for done in cancelling]
            for one in working:
                one.result()
        for slice_id, _, _ in shop.api.open_slices(path.rpartition("/")[2]):
            settle_slice(shop.context, slice_id)
        for context in contexts:
            context.engine.dispose()

        job, outcomes = told(shop.api.get(path)), told(shop.api.get(f"{path}/results"))
        made = sum(outcome["status"] == "ok" for outcome in outcomes.values())
        assert len(outcomes) == 24
        assert counts(job) == {"pending": 0, "ok": made, "failed": 0, "cancelled": 24 - made}
        for earlier in seen:
            assert sum(counts(earlier).values()) == 24
            assert earlier["cancelled"] <= job["cancelled"]


def test_a_job_of_somebody_else_is_404_even_for_who_may_read_it(shop: Shop) -> None:
    path, _ = accepted(shop, 2)
    auditor = shop.api.new_key("Auditor", "jobs:read-all", "orders:write")
    reader = shop.api.new_key("Reader", "orders:read")

    assert shop.api.get(path, auditor).status_code == 200
    assert cancel(shop, path, auditor).status_code == 404
    assert ask(shop, "DELETE", path, auditor).status_code == 404
    assert cancel(shop, path, reader).status_code == 403
    assert told(shop.api.get(path))["state"] == "queued"


def test_a_job_that_is_done_is_deleted_and_its_orders_stay(shop: Shop) -> None:
    path, slice_ids = accepted(shop, 2)
    assert ask(shop, "DELETE", path).status_code == 409
    settle_slice(shop.context, slice_ids[0])

    assert ask(shop, "DELETE", path).status_code == 204

    for method, rest in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", "")):
        gone = ask(shop, method, path + rest)
        assert (gone.status_code, told(gone)["msg"].split(",")[0]) == (410, "The job was deleted")
    assert shop.api.rows("SELECT count(*) FROM slices") == [(0,)]
    assert len(shop.orders()) == 2


def test_the_idempotency_key_of_a_deleted_job_makes_no_second_one(shop: Shop) -> None:
    path = shop.api.post(lamps(1), Idempotency_Key="k-1", Prefer="respond-async").headers["Location"]
    shop.settled(path)
    ask(shop, "DELETE", path)

    again = shop.api.post(lamps(1), Idempotency_Key="k-1", Prefer="respond-async")

    assert again.status_code == 410
    assert shop.api.job_count() == 1
