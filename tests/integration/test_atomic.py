"""An atomic batch: all of its orders are made or none, whatever happens on the way (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.slicing import SMALL_QUEUE
from tests.support.orders import line, lines, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import LeftError, settle_slice
from tests.support.worker_harness import WorkerHarness
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from tests.support.api import ApiClient

TABLES = ("orders", "order_lines", "allocations", "payments", "confirmations", "customers")


def statuses(outcomes: dict[str, Any]) -> dict[str, str]:
    """The reason under each key, or ok."""
    return {
        key: "ok" if one["status"] == "ok" else one["errors"][0]["reason"] for key, one in outcomes.items()
    }


def nothing_is_left(worker: WorkerHarness) -> None:
    assert {table: worker.count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert worker.allocated("BRASS-LAMP") == 0


def test_all_orders_are_made_where_none_is_rejected(plenty_of_lamps: WorkerHarness) -> None:
    outcomes = plenty_of_lamps.settle({f"k{i}": order() for i in range(60)}, atomic=True, ordered=True)

    assert set(statuses(outcomes).values()) == {"ok"}
    assert plenty_of_lamps.count("orders") == 60


def test_where_one_is_rejected_it_tells_why_and_the_others_are_rejected_with_it(
    plenty_of_lamps: WorkerHarness,
) -> None:
    worker = plenty_of_lamps
    batch = {
        "a": order(
            customerRegister=True, voucherCodes=["TEN"], payment={"id": 1}, sendEmail=True, poNummer=1
        ),
        "short": order(line(qty=10_001)),
        "b": order(orderNumber=700),
        "empty": order(products=[]),
        "c": order(createOnly=True),
    }

    outcomes = worker.settle(batch, atomic=True, ordered=True)

    assert statuses(outcomes) == {
        "a": "batch_rejected",
        "short": "stock_short",
        "b": "batch_rejected",
        "empty": "order_empty",
        "c": "batch_rejected",
    }
    assert outcomes["a"] == {
        "status": "no",
        "code": -7,
        "msg": "the order under 'short' (and 1 more) was rejected, and of an atomic batch all orders are "
        "made or none; correct the batch, and send it again",
        "retryable": True,
        "errors": [
            {
                "pointer": "",
                "reason": "batch_rejected",
                "msg": outcomes["a"]["msg"],
                "params": {"rejected": 2},
            }
        ],
        "ignored": ["/poNummer"],
    }
    nothing_is_left(worker)
    assert worker.rows("SELECT sum(used) FROM vouchers") == [(0,)]
    # Its number is free.
    assert statuses(worker.settle({"b": order(orderNumber=700)})) == {"b": "ok"}


def test_its_orders_are_decided_in_the_order_that_was_sent(plenty_of_lamps: WorkerHarness) -> None:
    batch = {
        "first": order(orderNumber=700),
        "from it": order(createdFromOrigin={"type": "order", "id": 700}, orderNumber=701),
        "from that": order(createdFromOrigin={"type": "order", "id": 701}),
    }

    outcomes = plenty_of_lamps.settle(batch, atomic=True, ordered=True)

    assert set(statuses(outcomes).values()) == {"ok"}


@pytest.mark.parametrize("orders", [3, 80])
def test_what_others_have_in_the_same_message_is_not_rejected_with_it(
    plenty_of_lamps: WorkerHarness, orders: int
) -> None:
    worker = plenty_of_lamps
    before = worker.accept({"k": order()})
    atomic = worker.accept(
        {**{f"k{i}": order() for i in range(orders)}, "bad": order(products=[])}, atomic=True, ordered=True
    )
    after = worker.accept({"k": order()})

    settle_message(worker.context(), [*before, *atomic, *after], SMALL_QUEUE)

    assert [set(statuses(worker.outcomes(job)).values()) for job in range(3)] == [
        {"ok"},
        {"batch_rejected", "order_empty"},
        {"ok"},
    ]
    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (2, 2)


def test_an_order_that_cannot_be_stored_leaves_none_of_the_others(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    worker.stock("POISON-CUP", main=10)
    worker.fails("order_lines", "NEW.sku = 'POISON-CUP'", "22000")
    batch = {
        "a": order(),
        "bad": order(products=lines(("BRASS-LAMP", 1), ("POISON-CUP", 1)), customerRegister=True),
        "b": order(customerRegister=True),
    }

    outcomes = worker.settle(batch, atomic=True, ordered=True)

    assert statuses(outcomes) == {"a": "batch_rejected", "bad": "not_stored", "b": "batch_rejected"}
    nothing_is_left(worker)


def test_one_that_ends_its_worker_time_and_again_is_given_up_whole(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    (slice_id,) = worker.accept({f"k{i}": order() for i in range(3)}, atomic=True, ordered=True)
    worker.run("UPDATE slices SET attempts = 1000")

    settle_slice(worker.context(), slice_id)

    assert statuses(worker.outcomes()) == dict.fromkeys(["k0", "k1", "k2"], "given_up")
    assert [one["retryable"] for one in worker.outcomes().values()] == [True] * 3
    nothing_is_left(worker)


def test_one_that_takes_all_of_its_time_is_not_cut_up_and_counts(
    plenty_of_lamps: WorkerHarness,
) -> None:
    worker = plenty_of_lamps
    (slice_id,) = worker.accept({f"k{i}": order() for i in range(3)}, atomic=True, ordered=True)
    # An idle transaction is ended by the server.
    worker.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'made to fail' USING ERRCODE = '25P03'; END $$;"
        " CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow()"
    )

    with pytest.raises(LeftError, match="too long"):
        settle_slice(worker.context(), slice_id)

    assert worker.rows("SELECT count(*), max(attempts) FROM slices") == [(1, 1)]
    worker.run("DROP TRIGGER slow ON orders")
    settle_slice(worker.context(), slice_id)
    assert set(statuses(worker.outcomes()).values()) == {"ok"}


def test_neither_lines_nor_bytes_cut_it_up(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    (slice_id,) = worker.accept({f"k{i}": order() for i in range(10)}, atomic=True, ordered=True)

    settle_slice(worker.context(settle_max_bytes=1024, settle_max_lines=1), slice_id)

    assert (worker.count("slices"), worker.count("orders")) == (1, 10)


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async"])
def test_it_is_one_slice_whatever_it_holds(shop: Shop, prefer: str) -> None:
    shop = Shop(
        shop.api.with_settings(slice_max_orders=2, slice_max_bytes=1024, slice_max_lines=1), shop.context
    )

    answer = shop.api.post({f"k{i}": order() for i in range(40)}, "?atomic=true", Prefer=prefer)

    assert answer.status_code == 202, answer.data
    assert (told(answer)["atomic"], told(answer)["ordered"]) == (True, True)
    assert len(shop.api.open_slices()) == 1


def test_a_cancelled_one_is_cancelled_whole(shop: Shop) -> None:
    path = shop.api.post(
        {f"k{i}": order() for i in range(3)}, "?atomic=true", Prefer="respond-async"
    ).headers["Location"]

    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})

    job = told(shop.api.get(path))
    assert (job["state"], job["cancelled"], job["ok"]) == ("cancelled", 3, 0)
    assert shop.api.rows("SELECT FROM orders") == []


@pytest.mark.parametrize(
    ("narrowed", "named", "most"),
    [
        ({"atomic_max_orders": 2}, "3 orders", "atomicMaxOrders is 2"),
        ({"atomic_max_bytes": 1024}, "bytes", "1024"),
    ],
)
def test_one_that_is_too_large_is_refused_with_the_limit_which_is_told_beforehand(
    api: ApiClient, narrowed: dict[str, int], named: str, most: str
) -> None:
    narrow = api.with_settings(**narrowed)
    batch = {f"k{i}": order(comment="x" * 400) for i in range(3)}

    refused = narrow.post(batch, "?atomic=true")
    limits = told(narrow.get("/v1/limits"))

    assert refused.status_code == 413
    assert named in told(refused)["msg"]
    assert most in told(refused)["msg"]
    assert (limits["atomicMaxOrders"], limits["atomicMaxBytes"]) == (
        narrow.settings.atomic_max_orders,
        narrow.settings.atomic_max_bytes,
    )
    assert narrow.post(batch, Prefer="respond-async").status_code == 202
    assert narrow.job_count() == 1
