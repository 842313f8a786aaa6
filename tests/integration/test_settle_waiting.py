"""Locks, outages and slowness: nothing that is not an order's own fault costs it its outcome."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shared.domain.decide import decide
from shared.domain.slicing import LARGE_QUEUE, SMALL_QUEUE
from shared.persistence.core.database import open_database
from shared.persistence.core.errors import DatabaseAwayError
from shared.persistence.jobs.attempts import Attempt, TakeLimits, give_back, take_slices
from shared.persistence.jobs.slices import TakenSlice, claim_slice
from tests.support.orders import line, order
from tests.support.settling import LIMITS, LeftError, attempt_at, settle_slice, take_slice
from tests.support.until import pause, until
from tests.support.worker_harness import WorkerHarness
from worker.settle.message import settle_message


@pytest.fixture(autouse=True)
def stools(plenty_of_lamps: WorkerHarness) -> None:
    plenty_of_lamps.stock("RED-STOOL", main=1000)


def singles(worker: WorkerHarness, *skus: str) -> list[int]:
    """Jobs of one order each; gives their slices' ids."""
    return [slice_id for sku in skus for slice_id in worker.accept({"k": order(line(sku))})]


def attempts(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT attempts FROM slices ORDER BY id")]


def decided(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT id FROM slices WHERE closed_at IS NOT NULL ORDER BY id")]


@contextmanager
def somebody_holds(worker: WorkerHarness, sku: str) -> Iterator[None]:
    """Somebody else's transaction with an item's stock locked."""
    with worker.engine.connect() as somebody:
        query = "SELECT FROM stock WHERE item_id = (SELECT id FROM items WHERE sku = :sku) FOR UPDATE"
        somebody.execute(text(query), {"sku": sku})
        yield
        somebody.rollback()


def test_a_locked_item_keeps_no_order_for_another(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, "RED-STOOL", *["BRASS-LAMP"] * 24)

    with somebody_holds(worker, "RED-STOOL"):
        settled = settle_message(worker.context(lock_limit_seconds=2), slice_ids, SMALL_QUEUE)
        assert list(settled.left) == slice_ids[:1]
        assert decided(worker) == slice_ids[1:]
        assert attempts(worker)[0] == 0

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)
    assert decided(worker) == slice_ids


def test_waiting_for_locks_ends_before_the_tasks_limit_and_condemns_nobody(worker: WorkerHarness) -> None:
    (slice_id,) = worker.accept({"k": order(line("RED-STOOL"), voucherCodes=["TEN"])})
    # Longer than a whole task: only what is left of it is waited.
    context = worker.context(lock_limit_seconds=60, task_limit_seconds=5)

    with somebody_holds(worker, "RED-STOOL"):
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(LeftError):
                settle_slice(context, slice_id)
            assert time.monotonic() - begun < 5

    assert attempts(worker) == [0]
    assert settle_slice(worker.context(), slice_id) is not None
    assert worker.outcomes()["k"]["status"] == "ok"


def test_a_server_that_does_not_answer_ends_no_worker_and_condemns_nobody(worker: WorkerHarness) -> None:
    (slice_id,) = worker.accept({"k": order()})
    context = worker.context(task_limit_seconds=5)
    worker.run(
        "CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;"
        "CREATE TRIGGER doze BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION doze()"
    )

    with stopped_while_it_inserts(worker), pytest.raises(LeftError, match="no time left"):
        settle_slice(context, slice_id)

    worker.run("DROP TRIGGER doze ON orders")
    # The server notices only now that nobody is there any more, and lets go of the slice.
    until(lambda: settle_slice(context, slice_id) is not None, "it is settled")
    assert (worker.count("orders"), worker.outcomes()["k"]["status"]) == (1, "ok")
    assert attempts(worker) == [1]


@contextmanager
def stopped_while_it_inserts(worker: WorkerHarness) -> Iterator[None]:
    """The server process that dozes in an INSERT is stopped until the end of the block."""
    found: list[int] = []
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

    def stop() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not found:
            found.extend(row[0] for row in worker.rows(query))
        os.kill(found[0], signal.SIGSTOP)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        yield
    finally:
        stopping.join()
        os.kill(found[0], signal.SIGCONT)


def test_an_attempt_that_is_asked_for_again_counts_once_and_is_given_back_once(worker: WorkerHarness) -> None:
    (slice_id,) = worker.accept({"k": order()})
    first, second = attempt_at(slice_id), attempt_at(slice_id)

    counted = [
        take_slice(worker.engine, attempt).attempts for attempt in (first, first, second, second, first)
    ]
    for attempt in (first, first, first):
        give_back(worker.engine, attempt)

    assert counted == [1, 1, 2, 2, 2]
    assert attempts(worker) == [1]
    give_back(worker.engine, second)
    assert attempts(worker) == [0]


def test_a_slice_that_an_attempt_is_owed_to_is_left_to_whoever_holds_it(worker: WorkerHarness) -> None:
    (slice_id,) = worker.accept({"k": order()})
    owed = attempt_at(slice_id)
    take_slice(worker.engine, owed)
    context = worker.context(task_limit_seconds=5)
    context.attempts_owed.append(owed)

    with worker.engine.begin() as other:
        assert claim_slice(other, slice_id) is not None
        for _ in range(3):
            settle_message(context, [slice_id], SMALL_QUEUE)
    assert attempts(worker) == [0]

    settle_message(context, [slice_id], SMALL_QUEUE)
    assert (attempts(worker), worker.outcomes()["k"]["status"]) == ([1], "ok")


def test_lost_replies_count_against_no_order(worker: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[object] = []

    def lose_the_reply(engine: Engine, attempt: Attempt, limits: TakeLimits) -> list[TakenSlice]:
        taken = take_slices(engine, attempt, limits)
        if len(lost) < 7:
            lost.append(taken)
            raise DatabaseAwayError("the database cannot be reached")
        return taken

    monkeypatch.setattr("worker.settle.attempts.take_slices", lose_the_reply)
    (slice_id,) = worker.accept({"k": order()})

    settle_slice(worker.context(), slice_id)

    assert (attempts(worker), worker.outcomes()["k"]["status"]) == ([1], "ok")


def test_what_ended_its_worker_among_others_counts_only_once_it_stood_alone(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, "BRASS-LAMP", "RED-STOOL")
    together, alone, again = (
        attempt_at(*slice_ids, together=True),
        attempt_at(slice_ids[0]),
        attempt_at(slice_ids[0]),
    )

    take_slices(worker.engine, together, LIMITS)
    counted = [take_slice(worker.engine, attempt).attempts for attempt in (alone, again)]

    # Neither is fresh any more, and what they shared is held against none of them.
    assert take_slices(worker.engine, attempt_at(*slice_ids, together=True), LIMITS) == []
    assert counted == [1, 2]
    assert attempts(worker) == [3, 1]


def test_more_than_a_transaction_may_hold_is_settled_in_several(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, *["BRASS-LAMP"] * 6)
    size = worker.rows("SELECT octet_length(body) FROM slices LIMIT 1")[0][0]

    settle_message(worker.context(settle_max_bytes=2 * size + 1), slice_ids[:6], SMALL_QUEUE)

    assert decided(worker) == slice_ids
    assert worker.rows("SELECT count(DISTINCT closed_at) FROM slices") == [(3,)]
    assert attempts(worker) == [1] * 6


def test_more_lines_than_a_transaction_may_hold_are_settled_in_several(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, *["BRASS-LAMP"] * 6)

    settle_message(worker.context(settle_max_lines=2), slice_ids, SMALL_QUEUE)

    assert decided(worker) == slice_ids
    assert worker.rows("SELECT count(DISTINCT closed_at) FROM slices") == [(3,)]
    assert attempts(worker) == [1] * 6


def test_a_slice_that_no_worker_may_hold_is_cut_up_and_decided(worker: WorkerHarness) -> None:
    keys = ["a", 'b"\\', "\x00{[,", "ü"]
    batch = {key: order(comment='{[],"\\\\' * 200) for key in keys}
    (slice_id,) = worker.accept(batch)
    context = worker.context(settle_max_bytes=4096)

    assert settle_slice(context, slice_id) is None
    pieces = [row[0] for row in worker.rows("SELECT id FROM slices ORDER BY number")]
    settle_message(context, pieces, LARGE_QUEUE)

    assert slice_id not in pieces
    assert list(worker.outcomes()) == keys
    assert {one["status"] for one in worker.outcomes().values()} == {"ok"}
    assert worker.rows("SELECT DISTINCT order_count FROM slices") == [(1,)]


def test_a_transaction_that_we_left_idle_is_no_outage_and_its_slice_is_cut_up(
    worker: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dawdle(drafts: Any, available: Any, uses: Any) -> Any:
        pause(1.5, "PostgreSQL ends a transaction that is idle for a second")
        return decide(drafts, available, uses)

    monkeypatch.setattr("worker.settle.decide_and_write.decide", dawdle)
    context = worker.context(statement_limit_seconds=1)
    context.engine = open_database(context.settings, "test")
    (slice_id,) = worker.accept({"a": order(), "b": order()})

    assert settle_slice(context, slice_id) is None
    pieces = [row[0] for row in worker.rows("SELECT id FROM slices ORDER BY number")]
    assert len(pieces) == 2
    for expected in range(1, 6):
        with pytest.raises(LeftError, match="too long"):
            settle_slice(context, pieces[0])
        assert attempts(worker)[0] == expected
    settle_slice(context, pieces[0])

    assert "given up after 5 attempts" in worker.outcomes()["a"]["msg"]
    context.engine.dispose()
