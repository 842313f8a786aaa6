"""Small slices of one message: settled together, and yet no slice's trouble is another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared.domain.slicing import SMALL_QUEUE
from shared.persistence.core.errors import TransientError
from shared.persistence.jobs.slices import TakenSlice, claim_slice, claim_slices
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import line, lines, order
from tests.support.settling import attempt_at, take_slice
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness
from worker.context import WorkerContext
from worker.settle.logs import bind_requests, log_left
from worker.settle.message import settle_message
from worker.tasks import run_settle


@pytest.fixture(autouse=True)
def cups(plenty_of_lamps: WorkerHarness) -> None:
    plenty_of_lamps.stock("POISON-CUP", main=10)


def transactions(worker: WorkerHarness) -> int:
    """In how many transactions the slices were closed: each has a moment of its own."""
    return int(worker.rows("SELECT count(DISTINCT closed_at) FROM slices")[0][0])


def attempts(worker: WorkerHarness) -> list[int]:
    return [row[0] for row in worker.rows("SELECT attempts FROM slices ORDER BY id")]


def singles(worker: WorkerHarness, *orders: dict[str, Any]) -> list[int]:
    """Jobs of one order each; gives their slices' ids."""
    return [slice_id for one in orders for slice_id in worker.accept({"k": one})]


def statuses(worker: WorkerHarness) -> list[str]:
    return [worker.outcomes(job)["k"]["status"] for job in range(len(worker.jobs))]


def test_slices_of_several_jobs_are_settled_in_one_transaction(worker: WorkerHarness) -> None:
    slice_ids = worker.accept({f"k{i}": order() for i in range(4)}, per=1) + worker.accept({"other": order()})

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    assert transactions(worker) == 1
    assert [one["orders"] for one in worker.outcomes(0).values()] == [[1], [2], [3], [4]]
    assert worker.outcomes(1) == {"other": {"status": "ok", "orders": [5]}}
    stored = worker.rows("SELECT job_id, position, batch_key FROM orders ORDER BY number")
    assert stored == [
        *((worker.jobs[0], i, f'"k{i}"') for i in range(4)),
        (worker.jobs[1], 0, '"other"'),
    ]
    assert worker.allocated("BRASS-LAMP") == 5
    told = [entry for entry in worker.logged if entry["event"] == "slice"]
    assert [(one["job_id"], one["slice"]) for one in told] == [
        *((str(worker.jobs[0]), i) for i in range(4)),
        (str(worker.jobs[1]), 0),
    ]


def test_each_line_of_a_task_tells_the_requests_that_it_is_of(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, order(), order(poNumber="poison"), order())
    worker.run("UPDATE jobs SET request_id = 'r-' || slices.id FROM slices WHERE job_id = jobs.id")
    worker.fails("orders", "NEW.po_number = 'poison'", "22000")

    with capture_logs(processors=[merge_contextvars]) as lines:
        settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    first, second, third = (f"r-{slice_id}" for slice_id in slice_ids)
    apart, *rest = lines
    assert (apart["event"], apart["request_ids"]) == ("slices_taken_apart", [first, second, third])
    assert [line["request_id"] for line in rest] == [first, *[second] * (len(rest) - 2), third]
    assert all("request_ids" not in line for line in rest)
    jobs = {line["request_id"]: line["job_id"] for line in rest}
    assert list(jobs.values()) == [str(job) for job in worker.jobs]


def test_slices_that_were_not_tried_tell_no_other_request_as_theirs(worker: WorkerHarness) -> None:
    tried, waiting = singles(worker, order(), order())
    bound = SimpleNamespace(request_id="r-1", job_id=worker.jobs[0])

    with capture_logs(processors=[merge_contextvars]) as lines:
        bind_requests([cast("TakenSlice", bound)])
        log_left([tried], "locked", TransientError("locked"))
        log_left([waiting], "there is no time left", None)

    assert [line.get("request_id") for line in lines] == ["r-1", None]


def test_each_slice_is_read_and_sold_as_its_own_key_and_job_may(worker: WorkerHarness) -> None:
    worker.run(
        "WITH client AS (INSERT INTO clients (name) VALUES ('Tokyo') RETURNING id)"
        " INSERT INTO api_keys (client_id, name, prefix, hash, scopes, market_ids)"
        " VALUES ((SELECT id FROM client), 'Tokyo', 'om_tokyo000', sha256('y'), '{}', '{2}')"
    )
    slice_ids = [
        *worker.accept({"k": order()}, key=1),
        *worker.accept({"k": order()}, key=2),
        *worker.accept({"k": order(nonsense=1)}, key=1, strict=True),
        *worker.accept({"k": order(nonsense=1)}, key=1),
    ]

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    assert transactions(worker) == 1
    assert statuses(worker) == ["ok", "no", "no", "ok"]
    assert worker.rows("SELECT api_key_id FROM orders ORDER BY number") == [(1,), (1,)]


def test_the_last_unit_goes_to_the_first_of_the_slices(worker: WorkerHarness) -> None:
    worker.stock("RED-STOOL", main=1)

    settle_message(
        worker.context(), singles(worker, order(line("RED-STOOL")), order(line("RED-STOOL"))), SMALL_QUEUE
    )

    assert statuses(worker) == ["ok", "no"]
    assert worker.outcomes(1)["k"]["code"] == -2


def test_slices_that_ask_for_the_same_order_number_take_turns(worker: WorkerHarness) -> None:
    wanted = [order(orderNumber=77), order(), order(orderNumber=77), order(orderNumber=78)]

    settle_message(worker.context(), singles(worker, *wanted), SMALL_QUEUE)

    assert transactions(worker) == 2
    assert statuses(worker) == ["ok", "ok", "no", "ok"]
    assert "77 exists" in worker.outcomes(2)["k"]["msg"]
    assert attempts(worker) == [1, 1, 1, 1]


def test_slices_that_register_the_same_customer_make_one(worker: WorkerHarness) -> None:
    wanted = [order(email=email, customerRegister=True) for email in ("eva@example.com", "EVA@example.com")]

    settle_message(worker.context(), singles(worker, *wanted), SMALL_QUEUE)

    assert statuses(worker) == ["ok", "ok"]
    assert worker.count("customers") == 1


def test_a_slice_that_was_attempted_before_is_done_alone_and_the_most_attempted_last(
    worker: WorkerHarness,
) -> None:
    slice_ids = singles(worker, *(order() for _ in range(5)))
    worker.run("UPDATE slices SET attempts = 3 WHERE id = :id", id=slice_ids[0])
    worker.run("UPDATE slices SET attempts = 1 WHERE id = :id", id=slice_ids[1])

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    closed = [row[0] for row in worker.rows("SELECT id FROM slices ORDER BY closed_at, id")]
    assert closed == [*slice_ids[2:], slice_ids[1], slice_ids[0]]
    assert transactions(worker) == 3
    assert attempts(worker) == [4, 2, 1, 1, 1]


def test_where_a_slice_may_be_attempted_only_once_it_shares_that_with_none(worker: WorkerHarness) -> None:
    settle_message(worker.context(slice_attempts_max=1), singles(worker, order(), order()), SMALL_QUEUE)

    assert transactions(worker) == 2
    assert statuses(worker) == ["ok", "ok"]


def test_a_message_of_two_kinds_is_settled_in_a_transaction_for_each(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, order(), order(createOnly=True))
    settle_message(worker.context(), slice_ids, SMALL_QUEUE)
    completion = worker.accept({"2": {}})
    worker.run("UPDATE jobs SET form = 'completion' WHERE id = :id", id=worker.jobs[-1])

    settle_message(worker.context(), [*completion, *singles(worker, order())], SMALL_QUEUE)

    assert worker.outcomes(2) == {"2": {"status": "ok", "orders": [2]}}
    assert worker.outcomes(3)["k"]["status"] == "ok"
    assert transactions(worker) == 3


def test_a_poisonous_order_in_a_slice_costs_only_itself(worker: WorkerHarness) -> None:
    worker.fails("order_lines", "NEW.sku = 'POISON-CUP'", "22000")
    wanted = [order(), order(products=lines(("BRASS-LAMP", 1), ("POISON-CUP", 1))), order()]

    settle_message(worker.context(), singles(worker, *wanted), SMALL_QUEUE)

    assert statuses(worker) == ["ok", "no", "ok"]
    assert worker.outcomes(1)["k"]["code"] == -7
    assert (worker.allocated("BRASS-LAMP"), worker.allocated("POISON-CUP")) == (2, 0)
    assert attempts(worker) == [1, 1, 1]


def test_slices_one_of_which_exists_already_leave_the_others_decided(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, order(), order(), order())
    settle_message(worker.context(), slice_ids[:1], SMALL_QUEUE)
    # As if the row that guards the slice had been lost.
    worker.run("UPDATE slices SET closed_at = NULL, outcomes = NULL, ok_count = NULL, attempts = 0")

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    assert worker.outcomes(0) == {}
    assert [worker.outcomes(job)["k"]["status"] for job in (1, 2)] == ["ok", "ok"]
    assert worker.count("orders") == 3
    # So that what is left can be held against the invariants.
    worker.run(
        "TRUNCATE allocations, order_lines, orders, slices, jobs CASCADE; UPDATE stock SET allocated = 0"
    )


def test_a_fault_that_passes_is_tried_again_by_all_together(worker: WorkerHarness) -> None:
    worker.fails("orders", "true", "40P01", times=2)

    settle_message(worker.context(), singles(worker, order(), order(), order()), SMALL_QUEUE)

    assert statuses(worker) == ["ok"] * 3
    assert (transactions(worker), attempts(worker)) == (1, [1, 1, 1])


def test_a_fault_that_does_not_pass_in_time_counts_as_nobodys_attempt(worker: WorkerHarness) -> None:
    worker.fails("allocations", "true", "40P01", times=2)
    slice_ids = singles(worker, order(), order())

    settle_message(worker.context(slice_tries_max=2), slice_ids, SMALL_QUEUE)
    assert (attempts(worker), worker.count("orders"), worker.allocated("BRASS-LAMP")) == ([0, 0], 0, 0)

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)
    assert statuses(worker) == ["ok", "ok"]


def test_a_message_that_comes_twice_makes_one_set_of_orders(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, order(), order())

    for _ in range(2):
        settle_message(worker.context(), [*slice_ids, *slice_ids], SMALL_QUEUE)

    assert (worker.count("orders"), attempts(worker)) == (2, [1, 1])


def test_a_slice_in_another_workers_hand_is_left_to_it(worker: WorkerHarness) -> None:
    held, *free = singles(worker, order(), order(), order())

    with worker.engine.begin() as other:
        assert claim_slice(other, held) is not None
        settle_message(worker.context(), [held, *free], SMALL_QUEUE)
        assert attempts(worker) == [0, 1, 1]

    assert [worker.outcomes(job) != {} for job in range(3)] == [False, True, True]


def test_workers_with_overlapping_messages_decide_each_slice_once_and_do_not_deadlock(
    worker: WorkerHarness,
) -> None:
    slice_ids = singles(worker, *(order(email=f"c{i}@example.com") for i in range(60)))
    together = Barrier(4)

    def work(n: int) -> None:
        context = worker.context()
        for first in range(0, 60, 10):
            together.wait(30)
            some = slice_ids[first : first + 10]
            settle_message(context, some if n % 2 else some[::-1], SMALL_QUEUE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert statuses(worker) == ["ok"] * 60
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (60, 60)
    assert [entry for entry in worker.logged if entry["event"] == "slices_tried_again"] == []


def test_workers_that_claim_the_same_slices_do_so_in_one_order_and_do_not_deadlock(
    worker: WorkerHarness,
) -> None:
    slice_ids = singles(worker, *(order() for _ in range(40)))
    free = "SELECT id FROM slices ORDER BY id FOR UPDATE SKIP LOCKED"

    def claim(ids: list[int]) -> None:
        with worker.engine.begin() as connection:
            assert claim_slices(connection, ids) is not None

    with ThreadPoolExecutor(1) as pool, worker.engine.connect() as holder, worker.engine.connect() as looking:
        holder.execute(text("SELECT id FROM slices WHERE id = :id FOR UPDATE"), {"id": slice_ids[20]})
        claiming = pool.submit(claim, slice_ids[::-1])
        until(lambda: waiting_for_locks(worker.engine) == 1)
        not_yet_asked_for = looking.execute(text(free)).scalars().all()
        looking.rollback()
        holder.rollback()
        claiming.result()

    assert not_yet_asked_for == slice_ids[21:]


def test_what_was_counted_and_not_used_is_given_back_before_anything_else(worker: WorkerHarness) -> None:
    slice_ids = singles(worker, order(), order())
    owed = attempt_at(slice_ids[0])
    take_slice(worker.engine, owed)
    context = worker.context()
    context.attempts_owed.append(owed)

    settle_message(context, slice_ids, SMALL_QUEUE)

    assert (transactions(worker), attempts(worker)) == (1, [1, 1])


def test_when_the_database_stays_away_nothing_is_counted_once_it_is_back(worker: WorkerHarness) -> None:
    worker.run(
        "CREATE SEQUENCE cuts;"
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER cut BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION cut()"
    )
    slice_ids = singles(worker, order(), order())

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    assert statuses(worker) == ["ok", "ok"]
    assert attempts(worker) == [1, 1]


@pytest.mark.parametrize(
    "argument", [None, "1", True, 0, -1, 2**63, 2**80, 1.0, [], [[1]], ["1"], {"1": 1}], ids=repr
)
def test_a_message_that_is_none_of_ours_is_passed_over(worker: WorkerHarness, argument: object) -> None:
    def context() -> WorkerContext:
        raise AssertionError("nothing was to be done")

    run_settle(context, argument, SMALL_QUEUE)

    assert [entry["event"] for entry in worker.logged] == ["message_not_understood"]


def test_of_a_message_with_strange_ids_the_others_are_settled(worker: WorkerHarness) -> None:
    (slice_id,) = singles(worker, order())

    run_settle(worker.context, [4711, "1", 2**62, slice_id, slice_id, None, 2**70], SMALL_QUEUE)

    assert statuses(worker) == ["ok"]


def test_a_message_of_one_id_is_understood_as_well(worker: WorkerHarness) -> None:
    (slice_id,) = singles(worker, order())

    run_settle(worker.context, slice_id, SMALL_QUEUE)

    assert statuses(worker) == ["ok"]
