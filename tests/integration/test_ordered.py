"""An ordered batch is decided strictly in the order that was sent, whoever decides it (contract §5)."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from shared.domain.slicing import LARGE_QUEUE
from tests.support.api import ApiClient
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice
from tests.support.until import until
from tests.support.worker_harness import WorkerHarness
from worker.maintenance.redispatch import sweep
from worker.settle.message import settle_message

if TYPE_CHECKING:
    from shared.queue.job_queue import JobQueue

RUNS = 20


def settle_in_any_order(worker: WorkerHarness, slice_ids: list[int], seed: int) -> None:
    """Two workers with messages that name any slices in any order, until all are closed."""

    def work(nth: int) -> None:
        dice = random.Random(2 * seed + nth)  # noqa: S311 - the same messages every time
        context = worker.context()

        def are_closed() -> bool:
            settle_message(context, dice.sample(slice_ids, dice.randint(1, len(slice_ids))), LARGE_QUEUE)
            return worker.rows("SELECT FROM slices WHERE closed_at IS NULL LIMIT 1") == []

        until(are_closed, "all slices are closed")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))


def ok(worker: WorkerHarness) -> list[bool]:
    """Whether each order was created, as sent."""
    found = worker.outcomes()
    return [found[f"k{i}"]["status"] == "ok" for i in range(len(found))]


def test_scarce_stock_goes_to_exactly_the_first_who_ask(worker: WorkerHarness) -> None:
    for run in range(RUNS):
        worker.run("DELETE FROM stock WHERE allocated = 0")
        worker.run(
            "INSERT INTO stock (item_id, warehouse_id, physical) SELECT id, 1, 100 FROM items"
            " WHERE sku = 'BRASS-LAMP'"
            " ON CONFLICT (item_id, warehouse_id) DO UPDATE SET physical = stock.allocated + 100"
        )
        slice_ids = worker.accept({f"k{i}": order() for i in range(200)}, per=7, ordered=True)

        settle_in_any_order(worker, slice_ids, run)

        assert ok(worker) == [True] * 100 + [False] * 100


def test_the_last_use_of_a_voucher_goes_to_the_first_who_asks(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept({f"k{i}": order(voucherCodes=["GIFT"]) for i in range(12)}, per=1, ordered=True)

    settle_in_any_order(worker, slice_ids, 1)

    assert ok(worker) == [True] + [False] * 11


@pytest.mark.parametrize("per", [1, 2, 250])
def test_an_order_may_name_one_before_it_as_its_origin_and_none_that_was_rejected(
    plenty_of_lamps: WorkerHarness, per: int
) -> None:
    worker = plenty_of_lamps
    batch = {
        "k0": order(orderNumber=700),
        "k1": order(createdFromOrigin={"type": "order", "id": 700}, orderNumber=701),
        "k2": order(createdFromOrigin={"type": "order", "id": 701}),
        "k3": order(line("NO-SUCH-LAMP"), orderNumber=703),
        "k4": order(createdFromOrigin={"type": "order", "id": 703}),
        "k5": order(createdFromOrigin={"type": "order", "id": 706}),
        "k6": order(orderNumber=706),
    }

    worker.settle(batch, per=per, ordered=True)

    assert ok(worker) == [True, True, True, False, False, False, True]


def test_in_a_batch_without_order_no_order_finds_one_of_its_own_slice(
    plenty_of_lamps: WorkerHarness,
) -> None:
    worker = plenty_of_lamps

    worker.settle({"k0": order(orderNumber=700), "k1": order(createdFromOrigin={"type": "order", "id": 700})})

    assert ok(worker) == [True, False]


def test_a_slice_is_left_alone_while_one_before_it_is_open(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    first, second, third = worker.accept({f"k{i}": order() for i in range(3)}, per=1, ordered=True)

    early = [settle_slice(worker.context(), one) for one in (third, second)]
    settle_message(worker.context(), [third, second, first], LARGE_QUEUE)

    assert early == [None, None]
    assert ok(worker) == [True] * 3
    # Nothing was held against those that had to wait.
    assert worker.rows("SELECT DISTINCT attempts FROM slices") == [(1,)]


def test_whoever_closes_a_slice_dispatches_the_next(plenty_of_lamps: WorkerHarness, queue: JobQueue) -> None:
    worker = plenty_of_lamps
    slice_ids = worker.accept({f"k{i}": order() for i in range(3)}, per=1, ordered=True)
    context = worker.context()
    context.queue = queue

    for slice_id in slice_ids:
        settle_slice(context, slice_id)

    assert worker.queued(LARGE_QUEUE) == slice_ids[1:]


def test_a_slice_that_nobody_dispatched_is_by_the_sweeper_and_none_whose_turn_has_not_come(
    plenty_of_lamps: WorkerHarness, queue: JobQueue
) -> None:
    worker = plenty_of_lamps
    first, second, _ = worker.accept({f"k{i}": order() for i in range(3)}, per=1, ordered=True)
    # As one that dies once it has committed.
    settle_slice(worker.context(), first)
    # A broker that lost its messages makes all slices due that had a time.
    sweep(worker.engine, queue, worker.settings)
    worker.run("UPDATE slices SET next_dispatch_at = now() WHERE next_dispatch_at IS NOT NULL")

    sweep(worker.engine, queue, worker.settings)

    assert worker.queued(LARGE_QUEUE) == [second]


def test_a_slice_that_is_cut_up_keeps_its_orders_in_order(
    plenty_of_lamps: WorkerHarness, queue: JobQueue
) -> None:
    worker = plenty_of_lamps
    worker.run("UPDATE stock SET physical = 4")
    first, second = worker.accept({f"k{i}": order() for i in range(6)}, per=3, ordered=True)
    worker.run("UPDATE slices SET attempts = 1000 WHERE id = :id", id=first)

    settle_slice(worker.context(), first)
    settle_slice(worker.context(), second)
    pieces = [row.id for row in worker.rows("SELECT id FROM slices WHERE id <> :id ORDER BY id", id=second)]
    late = [settle_slice(worker.context(), one) for one in reversed(pieces[1:])]
    sweep(worker.engine, queue, worker.settings)

    assert late == [None, None]
    assert worker.queued(LARGE_QUEUE) == pieces[:1]
    for slice_id in (*pieces, second):
        settle_slice(worker.context(), slice_id)
    assert ok(worker) == [True] * 4 + [False] * 2


def test_an_ordered_job_that_is_cancelled_ends(own_slices_of_two: Shop) -> None:
    shop = own_slices_of_two
    path = accept(shop, 7)
    first, *_ = shop.api.open_slices()
    settle_slice(shop.context, first[0])

    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})

    job = told(shop.api.get(path))
    assert (job["state"], job["ok"], job["cancelled"]) == ("cancelled", 2, 5)


def accept(shop: Shop, orders: int) -> str:
    """Hand in an ordered batch; gives its job's path."""
    batch = {f"k{i}": order() for i in range(orders)}
    answer = shop.api.post(batch, "?ordered=true", Prefer="respond-async")
    assert answer.status_code == 202, answer.data
    return answer.headers["Location"]


@pytest.fixture
def own_slices_of_two(shop: Shop) -> Shop:
    """A shop whose slices are of two orders at most."""
    return Shop(shop.api.with_settings(slice_max_orders=2), shop.context)


def test_only_the_first_slice_of_an_ordered_batch_is_dispatched(own_slices_of_two: Shop) -> None:
    shop = own_slices_of_two

    accept(shop, 7)

    assert shop.context.queue is not None
    assert shop.context.queue.waiting(LARGE_QUEUE) == 1
    dated = shop.api.rows("SELECT number FROM slices WHERE next_dispatch_at IS NOT NULL")
    assert (len(shop.api.open_slices()), dated) == (4, [(0,)])


def test_a_small_ordered_batch_that_is_waited_for_is_one_slice(module_api: ApiClient) -> None:
    with module_api.worker():
        answer = module_api.post({f"k{i}": order() for i in range(20)}, "?ordered=true")

    assert (answer.status_code, list(told(answer))) == (200, [f"k{i}" for i in range(20)])
    assert module_api.rows("SELECT count(*) FROM slices JOIN jobs ON jobs.id = job_id WHERE ordered") == [
        (1,)
    ]


@pytest.mark.parametrize(
    ("query", "told_of"),
    [
        ("?ordered=perhaps", "ordered: 'perhaps' is not a boolean; write true or false"),
        ("?ordered=", "ordered"),
        ("?ordered=true&ordered=true", "ordered: stands more than once; send it once"),
        ("?Ordered=true", "it knows ordered"),
        ("?transactional=true", "it knows "),
    ],
)
def test_an_option_that_cannot_be_used_is_told_with_what_can(
    module_api: ApiClient, query: str, told_of: str
) -> None:
    jobs = module_api.job_count()

    answer = module_api.post({"k": order()}, query)

    assert (answer.status_code, module_api.job_count()) == (400, jobs)
    assert told_of in told(answer)["msg"]


def test_the_same_idempotency_key_stands_for_a_batch_in_order_or_one_without(module_api: ApiClient) -> None:
    batch: dict[str, Any] = {"k": order()}

    def post(query: str, key: str) -> Any:
        return module_api.post(batch, query, Prefer="respond-async", Idempotency_Key=key)

    ordered = [post(query, "in order") for query in ("?ordered=true", "?ordered=1", "", "?ordered=false")]
    plain = [post(query, "in any order") for query in ("", "?ordered=false", "?ordered=true")]

    assert [answer.status_code for answer in ordered] == [202, 202, 422, 422]
    assert [answer.status_code for answer in plain] == [202, 202, 422]
