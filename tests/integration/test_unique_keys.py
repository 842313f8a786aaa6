"""With uniqueKeys a key is its order's identity: one that has made an order makes no second (contract §5)."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from shared.domain.outcome import MOST_KEY_NUMBERS
from shared.domain.slicing import SMALL_QUEUE
from shared.persistence.core.database import transaction
from shared.persistence.orders.unique_keys import MADE, UniqueKey, claim_keys
from tests.support.lock_waits import waiting_for_locks
from tests.support.orders import line, order
from tests.support.settling import LeftError, settle_slice
from tests.support.until import until
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.worker_harness import Batch, Outcomes, WorkerHarness

SHORT = order(line(qty=20_000))
TWO_CLIENTS = """
    INSERT INTO clients (name) VALUES ('Other');
    INSERT INTO api_keys (client_id, name, prefix, hash, scopes) VALUES
        (2, 'Other', 'om_other000', sha256('y'), '{}'),
        (1, 'Shop, rotated', 'om_shop0001', sha256('z'), '{}');
"""
OTHER_CLIENT, OTHER_KEY_OF_THE_CLIENT = 2, 3


@pytest.fixture(autouse=True)
def lamps(plenty_of_lamps: WorkerHarness) -> None:
    plenty_of_lamps.run(TWO_CLIENTS)


def settle(worker: WorkerHarness, batch: Batch, *, unique_keys: bool = True, **how: Any) -> Outcomes:
    return worker.settle(batch, unique_keys=unique_keys, **how)


def exists(outcome: dict[str, Any]) -> list[int]:
    """The orders that the key has, as told where it makes no second."""
    assert (outcome["status"], outcome["code"], outcome["retryable"]) == ("no", -5, False), outcome
    assert [error["reason"] for error in outcome["errors"]] == ["key_exists"]
    assert outcome["errors"][0]["params"] == {"orders": outcome["orders"]}
    told: list[int] = outcome["orders"]
    return told


def made(worker: WorkerHarness) -> dict[str, int]:
    """How often an order was made under each key."""
    rows = worker.rows("SELECT batch_key, count(*) AS times FROM orders WHERE part = 0 GROUP BY batch_key")
    return {json.loads(row.batch_key): row.times for row in rows}


def claims(worker: WorkerHarness) -> int:
    return worker.count("unique_keys")


@pytest.mark.parametrize("first_unique", [True, False])
def test_a_key_that_has_made_an_order_makes_no_second_in_whatever_batch(
    worker: WorkerHarness, first_unique: bool
) -> None:
    first = settle(worker, {"1001": order(), "1002": order()}, unique_keys=first_unique)

    again = settle(worker, {"1002": order(), "1003": order()})

    assert exists(again["1002"]) == first["1002"]["orders"]
    assert str(first["1002"]["orders"][0]) in again["1002"]["msg"]
    assert again["1003"]["status"] == "ok"
    assert worker.allocated("BRASS-LAMP") == 3


def test_without_the_option_the_same_key_makes_another_order(worker: WorkerHarness) -> None:
    settle(worker, {"1001": order()})

    assert settle(worker, {"1001": order()}, unique_keys=False)["1001"]["status"] == "ok"
    assert len(exists(settle(worker, {"1001": order()})["1001"])) == 2


def test_a_key_is_one_clients_with_whatever_api_key_it_sends(worker: WorkerHarness) -> None:
    settle(worker, {"1001": order()})

    rotated = settle(worker, {"1001": order()}, key=OTHER_KEY_OF_THE_CLIENT, client=1)
    other = settle(worker, {"1001": order()}, key=OTHER_CLIENT)

    assert exists(rotated["1001"])
    assert other["1001"]["status"] == "ok"


@pytest.mark.parametrize("sent", [{}, "no order", order(line("NO-SUCH-LAMP")), SHORT], ids=repr)
def test_what_a_known_key_asks_for_now_is_not_looked_at(worker: WorkerHarness, sent: Any) -> None:
    first = settle(worker, {"1001": order()})

    assert exists(settle(worker, {"1001": sent})["1001"]) == first["1001"]["orders"]


def test_a_key_under_which_an_order_was_rejected_is_free(worker: WorkerHarness) -> None:
    batch = {"good": order(), "short": SHORT, "empty": {}, "unknown": order(line("NO-SUCH-LAMP"))}

    rejected = settle(worker, batch)
    # Who tried again at once with somebody else would not wait for a claim that had stayed.
    assert claims(worker) == 1
    corrected = settle(worker, dict.fromkeys(batch, order()))

    assert [one["status"] for one in rejected.values()] == ["ok", "no", "no", "no"]
    assert exists(corrected["good"]) == rejected["good"]["orders"]
    assert [corrected[key]["status"] for key in ("short", "empty", "unknown")] == ["ok"] * 3
    assert claims(worker) == 4


def test_an_order_that_cannot_be_written_leaves_its_key_free_and_costs_no_other(
    worker: WorkerHarness,
) -> None:
    worker.fails("orders", "NEW.po_number = 'poison'", "22000")
    batch = {"k1": order(), "k2": order(poNumber="poison"), "k3": order()}

    outcomes = settle(worker, batch)

    assert [one["status"] for one in outcomes.values()] == ["ok", "no", "ok"]
    assert claims(worker) == 2
    assert settle(worker, {"k2": order()})["k2"]["status"] == "ok"


def test_what_was_prepared_or_split_has_its_key(worker: WorkerHarness) -> None:
    worker.stock("RED-STOOL", shop=1)
    batch = {
        "prepared": order(createOnly=True),
        "split": order(line(), line("RED-STOOL"), warehouseGroup="By warehouse"),
    }

    first = settle(worker, batch)
    again = settle(worker, batch)

    assert exists(again["prepared"]) == [first["prepared"]["order"]]
    assert exists(again["split"]) == first["split"]["orders"]
    assert len(first["split"]["orders"]) == 2


@pytest.mark.parametrize("key", ["", "\0", "\U0001f600 'quoted\\", "k" * 20_000], ids=len)
def test_any_key_is_an_identity(worker: WorkerHarness, key: str) -> None:
    settle(worker, {key: order(), "another": order()})

    again = settle(worker, {key: order()})

    assert len(exists(again[key])) == 1
    assert made(worker)[key] == 1


def test_an_order_that_was_sent_without_a_key_has_none(worker: WorkerHarness) -> None:
    alone = worker.accept({"": order()})
    worker.run("UPDATE jobs SET form = 'order'")
    settle_slice(worker.context(), alone[0])

    assert settle(worker, {"": order()})[""]["status"] == "ok"


def test_of_a_key_that_has_made_many_orders_the_first_are_told(worker: WorkerHarness) -> None:
    for _ in range(MOST_KEY_NUMBERS + 2):
        worker.settle({"0": order()})

    again = settle(worker, {"0": order()})

    assert exists(again["0"]) == list(range(1, MOST_KEY_NUMBERS + 1))
    assert f"{MOST_KEY_NUMBERS - 3} more" in again["0"]["msg"]


def test_two_jobs_of_one_message_make_each_key_once(worker: WorkerHarness) -> None:
    batch = {f"k{i}": order() for i in range(3)}
    slice_ids = [
        *worker.accept(batch, per=1, unique_keys=True),
        *worker.accept(batch, per=1, unique_keys=True),
        *worker.accept(batch, per=1, unique_keys=True, key=OTHER_CLIENT),
    ]

    settle_message(worker.context(), slice_ids, SMALL_QUEUE)

    assert made(worker) == {"k0": 2, "k1": 2, "k2": 2}
    assert [one["status"] for one in worker.outcomes(2).values()] == ["ok"] * 3
    for key, one in worker.outcomes(1).items():
        assert exists(one) == worker.outcomes(0)[key]["orders"]


def test_an_ordered_batch_may_have_unique_keys(worker: WorkerHarness) -> None:
    batch = {
        "k0": order(orderNumber=700),
        "k1": order(createdFromOrigin={"type": "order", "id": 700}),
        "k2": order(createdFromOrigin={"type": "order", "id": 701}),
    }

    first = settle(worker, batch, ordered=True)
    again = settle(worker, {**batch, "k2": order()}, ordered=True)

    assert [one["status"] for one in first.values()] == ["ok", "ok", "no"]
    assert exists(again["k0"]) == [700]
    assert exists(again["k1"])
    assert again["k2"]["status"] == "ok"


def test_an_atomic_batch_with_a_known_key_is_rejected_whole_and_leaves_its_other_keys_free(
    worker: WorkerHarness,
) -> None:
    known = settle(worker, {"1001": order()})

    rejected = settle(worker, {"1002": order(), "1001": order()}, atomic=True, ordered=True)
    whole = settle(worker, {"1002": order(), "1003": order()}, atomic=True, ordered=True)

    assert exists(rejected["1001"]) == known["1001"]["orders"]
    assert rejected["1002"]["errors"][0]["reason"] == "batch_rejected"
    assert [one["status"] for one in whole.values()] == ["ok", "ok"]
    assert made(worker) == {"1001": 1, "1002": 1, "1003": 1}


def test_a_dry_run_tells_which_keys_exist_and_takes_none(worker: WorkerHarness) -> None:
    known = settle(worker, {"1001": order()})

    dry = settle(worker, {"1001": order(), "1002": order()}, per=1, dry_run=True, ordered=True)

    assert exists(dry["1001"]) == known["1001"]["orders"]
    assert dry["1002"] == {"status": "ok"}
    assert claims(worker) == 1
    assert settle(worker, {"1002": order()})["1002"]["status"] == "ok"


def split(worker: WorkerHarness, keys: Iterable[str], per: int, **how: Any) -> list[int]:
    return worker.accept({key: order() for key in keys}, per=per, unique_keys=True, **how)


@pytest.mark.parametrize("scarce", [False, True])
def test_the_same_file_by_several_at_once_however_it_is_split_makes_each_order_once(
    worker: WorkerHarness, scarce: bool
) -> None:
    keys = [f"k{i}" for i in range(120)]
    if scarce:
        worker.run("UPDATE stock SET physical = 70")
    jobs = [
        split(worker, keys, 11),
        split(worker, reversed(keys), 40, key=OTHER_KEY_OF_THE_CLIENT, client=1),
        split(worker, [*keys[60:], *keys[:60]], 120),
        split(worker, keys[::-2] + keys[::2], 7),
        # A plain one beside them may make its own.
        worker.accept({key: order() for key in keys[:10]}, per=1),
    ]
    contexts = [worker.context() for _ in jobs]

    def work(nth: int) -> None:
        for slice_id in jobs[nth]:
            until(partial(closed, worker, slice_id, contexts[nth]), "it is settled")

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(work, range(len(jobs))))

    unique = worker.rows(
        "SELECT batch_key, count(*) AS times FROM orders JOIN jobs ON jobs.id = job_id"
        " WHERE unique_keys GROUP BY batch_key"
    )
    assert {row.times for row in unique} == {1}
    told = [one for job in range(4) for one in worker.outcomes(job).values()]
    assert len(told) == 480
    assert sum(one["status"] == "ok" for one in told) == len(unique) == claims(worker)
    if not scarce:
        # Every key has its order, whoever made it, and each who was told no was told which.
        assert all(one["status"] == "ok" or exists(one) for one in told)
        assert set(made(worker)) == set(keys)
    assert [entry for entry in worker.logged if "deadlock" in str(entry)] == []


def closed(worker: WorkerHarness, slice_id: int, context: Any) -> bool:
    """Settle a slice that may be busy; whether it is closed."""
    try:
        settle_slice(context, slice_id)
    except LeftError:
        return False
    return worker.rows("SELECT closed_at FROM slices WHERE id = :id", id=slice_id) != [(None,)]


def test_who_comes_second_waits_for_the_first_and_is_told_its_order(worker: WorkerHarness) -> None:
    first, second = (
        worker.accept({"1001": order()}, unique_keys=True),
        worker.accept({"1001": order()}, unique_keys=True),
    )
    with ThreadPoolExecutor(2) as pool:
        with worker.engine.begin() as connection:
            # The first one has its key, and waits here.
            connection.execute(text("LOCK TABLE stock IN ACCESS EXCLUSIVE MODE"))
            settling = [pool.submit(settle_slice, worker.context(), *first)]
            until(lambda: waiting_for_locks(worker.engine) == 1, "the first waits for stock")
            settling.append(pool.submit(settle_slice, worker.context(), *second))
            until(lambda: waiting_for_locks(worker.engine) == 2, "the second waits for the first")
        for one in settling:
            one.result(30)

    assert exists(worker.outcomes(1)["1001"]) == worker.outcomes(0)["1001"]["orders"]


def test_slices_that_claim_the_same_keys_never_wait_for_each_other_in_a_ring(worker: WorkerHarness) -> None:
    keys = [UniqueKey(1, f"k{i}") for i in range(200)]
    barrier = threading.Barrier(2)

    def claim(wanted: list[UniqueKey]) -> None:
        for _ in range(20):
            barrier.wait(30)
            # Both pass on, whatever becomes of one of them.
            with transaction(worker.engine) as connection:
                claim_keys(connection, wanted)
                connection.rollback()

    with ThreadPoolExecutor(2) as pool:
        for claiming in [pool.submit(claim, keys), pool.submit(claim, keys[::-1])]:
            claiming.result(60)

    assert claims(worker) == 0


def test_who_waits_for_a_key_holds_no_stock_meanwhile(worker: WorkerHarness) -> None:
    (waiting,) = worker.accept({"1001": order()}, unique_keys=True)
    (beside,) = worker.accept({"1002": order()})
    with ThreadPoolExecutor(1) as pool:
        with transaction(worker.engine) as connection:
            assert claim_keys(connection, [UniqueKey(1, "1001")]) == {}
            settling = pool.submit(settle_slice, worker.context(), waiting)
            until(lambda: waiting_for_locks(worker.engine) == 1, "it waits for the key")

            # The same lamps.
            report = settle_slice(worker.context(), beside)

            assert report is not None
            assert report.ok == 1
            connection.rollback()
        settling.result(30)

    assert worker.outcomes(0)["1001"]["status"] == "ok"


def test_a_transaction_that_fails_leaves_every_key_free(worker: WorkerHarness) -> None:
    worker.fails("order_lines", "true", "40001", times=1_000)
    (slice_id,) = worker.accept({"1001": order()}, unique_keys=True)

    with pytest.raises(LeftError):
        settle_slice(worker.context(), slice_id)

    assert claims(worker) == 0
    worker.run("DROP TRIGGER fail ON order_lines")
    settle_slice(worker.context(), slice_id)
    assert worker.outcomes()["1001"]["status"] == "ok"


def test_a_key_is_looked_up_by_its_index_whatever_is_known_of_the_orders(worker: WorkerHarness) -> None:
    # Statistics of an empty table, which has filled since.
    worker.run("ANALYZE orders")
    for first in range(0, 600, 200):
        worker.settle({f"k{i}": order() for i in range(first, first + 200)})
    values = {"client_ids": [1] * 200, "keys": [f'"k{i}"' for i in range(200)], "most": 1}

    plan = json.dumps(worker.rows(f"EXPLAIN (FORMAT JSON) {MADE}", **values)[0][0])

    assert "orders_batch_key_idx" in plan
    nodes = re.findall(r'"Node Type": "([^"]+)"[^{}]*"Relation Name": "orders"', plan)
    assert nodes
    assert "Seq Scan" not in nodes
