"""A dry run tells what would become of each order, and leaves nothing (contract §5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.core.tables import metadata
from tests.support.orders import line, lines, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice
from tests.support.until import until
from tests.support.worker_harness import Batch, Outcomes, WorkerHarness
from worker.settle.message import settle_message

OF_JOBS = {"jobs", "slices", "job_progress"}
"""The tables that tell of a dry run; all others are as they were."""


def contents(worker: WorkerHarness) -> dict[str, Any]:
    """What all tables hold that a dry run must leave alone, and where the order numbers stand."""
    tables = sorted(metadata.tables.keys() - OF_JOBS)
    found: dict[str, Any] = {
        table: sorted(row.told for row in worker.rows(f"SELECT CAST({table} AS text) AS told FROM {table}"))  # noqa: S608 - tables of ours
        for table in tables
    }
    return found | {"numbers": worker.rows("SELECT last_value, is_called FROM order_number_seq")}


def dry(worker: WorkerHarness, batch: Batch, per: int = 250, **options: Any) -> Outcomes:
    """The outcomes of a dry run that leaves all as it was."""
    before = contents(worker)
    outcomes = worker.settle(batch, per=per, dry_run=True, ordered=True, **options)
    assert contents(worker) == before
    return outcomes


def without_numbers(outcomes: Outcomes) -> Outcomes:
    """Outcomes but for the numbers of orders."""
    return {
        key: {name: value for name, value in one.items() if name not in {"order", "orders"}}
        for key, one in outcomes.items()
    }


SKUS = ("BRASS-LAMP", "RED-STOOL", "TIN-KETTLE")
RULES = ("Default", "By warehouse", "By availability", "Reserve")
NUMBERS = st.integers(1, 4)
EXAMPLES = count(1)

wishes = st.fixed_dictionaries(
    {},
    optional={
        "orderNumber": NUMBERS,
        "createdFromOrigin": NUMBERS.map(lambda number: {"type": "order", "id": number}),
        "voucherCodes": st.lists(st.sampled_from(["GIFT", "TEN", "NONE"]), max_size=2),
        "createOnly": st.booleans(),
        "forceCreate": st.booleans(),
        "adjustStock": st.sampled_from([True, True, False]),
        "warehouseGroup": st.sampled_from(RULES),
        "customerRegister": st.booleans(),
        "sendEmail": st.booleans(),
        "poNummer": st.just("told to be ignored"),
    },
)
wanted = st.lists(
    st.tuples(st.sampled_from((*SKUS, *SKUS, "NO-SUCH-LAMP")), st.integers(1, 5)), min_size=1, max_size=3
)
sent = st.builds(lambda products, wish: order(products=lines(*products), **wish), wanted, wishes)
batches = st.lists(sent, min_size=1, max_size=12)


def with_own_numbers(batch: list[dict[str, Any]], first: int) -> Batch:
    """The batch, with order numbers that nobody has asked for before."""
    for one in batch:
        if "orderNumber" in one:
            one["orderNumber"] += first
        if "createdFromOrigin" in one:
            one["createdFromOrigin"]["id"] += first
    return {f"k{i}": one for i, one in enumerate(batch)}


def test_a_dry_run_tells_what_the_real_one_then_does_and_leaves_all_as_it_was(
    worker: WorkerHarness,
) -> None:
    for sku in SKUS:
        worker.stock(sku, main=0, shop=0, reserve=0)

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        batch=batches,
        cut=st.tuples(st.integers(1, 5), st.integers(1, 12)),
        units=st.integers(0, 9),
        uses=st.integers(0, 3),
    )
    def agree(batch: list[dict[str, Any]], cut: tuple[int, int], units: int, uses: int) -> None:
        worker.run("UPDATE stock SET physical = allocated + :units", units=units)
        worker.run("UPDATE vouchers SET uses = used + :uses WHERE code = 'GIFT'", uses=uses)
        keyed = with_own_numbers(batch, next(EXAMPLES) * 1_000_000)

        rehearsed = dry(worker, keyed, per=cut[0])
        made = worker.settle(keyed, per=cut[1], ordered=True)

        assert rehearsed == without_numbers(made)

    agree()


def test_an_atomic_dry_run_tells_what_the_real_one_then_does(plenty_of_lamps: WorkerHarness) -> None:
    batch = {"a": order(), "short": order(line(qty=20_000)), "b": order()}

    rehearsed = dry(plenty_of_lamps, batch, atomic=True)
    made = plenty_of_lamps.settle(batch, atomic=True, ordered=True)

    assert rehearsed == made
    assert dry(plenty_of_lamps, {"a": order()}, atomic=True) == {"a": {"status": "ok"}}


def test_a_key_that_is_to_be_unique_is_used_by_no_dry_run(plenty_of_lamps: WorkerHarness) -> None:
    worker = plenty_of_lamps
    made = worker.settle({"known": order()}, unique_keys=True)
    batch = {"new": order(), "known": order(), "later": order()}

    rehearsed = dry(worker, batch, per=2, unique_keys=True)

    assert [one["status"] for one in rehearsed.values()] == ["ok", "no", "ok"]
    assert (rehearsed["known"]["code"], rehearsed["known"]["orders"]) == (-5, made["known"]["orders"])
    assert without_numbers(worker.settle(batch, ordered=True, unique_keys=True)) == without_numbers(rehearsed)


def test_an_ok_has_no_number_and_still_tells_what_was_ignored(plenty_of_lamps: WorkerHarness) -> None:
    batch = {"a": order(poNummer=1), "number": order(orderNumber=700), "later": order(createOnly=True)}

    assert dry(plenty_of_lamps, batch) == {
        "a": {"status": "ok", "ignored": ["/poNummer"]},
        "number": {"status": "ok"},
        "later": {"status": "ok"},
    }


def test_a_slice_sees_what_the_dry_ones_before_it_would_have_taken(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3, shop=2)
    batch = {f"k{i}": order() for i in range(7)}

    outcomes = dry(worker, batch, per=2)

    assert [one["status"] for one in outcomes.values()] == ["ok"] * 5 + ["no"] * 2
    assert "0 available" in outcomes["k6"]["msg"]
    # Nor does a later one, or a real one, see any of it.
    assert dry(worker, batch, per=2) == outcomes
    assert without_numbers(worker.settle(batch, per=2)) == outcomes


def test_what_others_take_meanwhile_is_gone_for_the_later_slices(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    batch = {f"k{i}": order() for i in range(3)}
    first, second, third = worker.accept(batch, per=1, dry_run=True, ordered=True)
    settle_slice(worker.context(), first)
    settle_slice(worker.context(), second)

    worker.settle({"real": order(line(qty=2))})
    settle_slice(worker.context(), third)

    assert worker.outcomes(0)["k2"]["code"] == -2
    assert worker.allocated("BRASS-LAMP") == 2


def test_a_real_order_does_not_wait_for_stock_of_a_dry_slice_that_is_closed(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1)
    first, _ = worker.accept({"a": order(), "b": order()}, per=1, dry_run=True, ordered=True)
    settle_slice(worker.context(), first)

    assert worker.settle({"real": order()})["real"]["status"] == "ok"


def test_an_order_that_cannot_be_stored_costs_a_dry_run_only_itself(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    worker.stock("POISON-CUP", main=10)
    worker.fails("order_lines", "NEW.sku = 'POISON-CUP'", "22000")
    batch = {
        "a": order(),
        "bad": order(products=lines(("BRASS-LAMP", 1), ("POISON-CUP", 1)), orderNumber=700),
        "b": order(orderNumber=701),
        "number": order(orderNumber=700),
        "short": order(),
    }

    outcomes = worker.settle(batch, per=3, dry_run=True, ordered=True)

    assert [one["status"] for one in outcomes.values()] == ["ok", "no", "ok", "no", "no"]
    assert [outcomes[key]["code"] for key in ("bad", "number", "short")] == [-7, -5, -2]
    assert worker.count("orders") == 0


def test_a_dry_slice_that_ends_its_worker_is_cut_up_and_seen_by_those_after_it(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    worker.accept({f"k{i}": order() for i in range(5)}, per=4, dry_run=True, ordered=True)
    worker.run("UPDATE slices SET attempts = 1000 WHERE number = 0")
    context = worker.context()

    def are_closed() -> bool:
        open_ids = [row.id for row in worker.rows("SELECT id FROM slices WHERE closed_at IS NULL ORDER BY 1")]
        settle_message(context, open_ids, LARGE_QUEUE)
        return not open_ids

    until(are_closed, "all slices are closed")

    found = worker.outcomes()
    assert [found[f"k{i}"]["status"] for i in range(5)] == ["ok"] * 3 + ["no"] * 2
    assert worker.count("orders") == 0


def test_what_would_have_been_taken_is_forgotten_when_the_job_is_cancelled_half_way(shop: Shop) -> None:
    shop = Shop(shop.api.with_settings(slice_max_orders=1), shop.context)
    sent_orders = {f"k{i}": order(orderNumber=700 + i) for i in range(24)}
    answer = shop.api.post(sent_orders, "?validateOnly=true", Prefer="respond-async")
    path = answer.headers["Location"]
    first, *_ = shop.api.open_slices()
    settle_slice(shop.context, first[0])
    assert shop.api.rows("SELECT number FROM dry_run_numbers LIMIT 1") == [(700,)]

    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})

    job = told(shop.api.get(path))
    assert (job["state"], job["ok"] > 0, job["cancelled"] > 0) == ("cancelled", True, True)
    assert shop.api.rows("SELECT FROM dry_run_numbers") == []


def test_a_dry_run_is_one_for_its_client_from_the_answer_to_the_results(shop: Shop) -> None:
    answer = shop.api.post({"a": order(), "b": {}}, "?validateOnly=true", Prefer="respond-async")
    job = told(answer)
    results = shop.settled(answer.headers["Location"])

    assert (answer.status_code, job["dryRun"], job["ordered"]) == (202, True, True)
    assert (results["a"], results["b"]["code"]) == ({"status": "ok"}, -3)
    done = told(shop.api.get(answer.headers["Location"]))
    assert (done["state"], done["ok"], done["codes"]) == ("partially_succeeded", 1, {"-3": 1})
    assert shop.orders() == []


def test_a_dry_slice_is_as_large_as_two_full_messages(shop: Shop) -> None:
    shop = Shop(shop.api.with_settings(slice_max_orders=2), shop.context)

    shop.api.post({f"k{i}": order() for i in range(24)}, "?validateOnly=true", Prefer="respond-async")

    sizes = shop.api.rows("SELECT order_count FROM slices ORDER BY number")
    assert [size for (size,) in sizes] == [20, 4]


def test_codes_that_no_voucher_has_count_against_whoever_tries_them_dry(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=3)
    (slice_id,) = worker.accept({"a": order(voucherCodes=["NONE", "NOR-THIS"])}, dry_run=True, ordered=True)

    report = settle_slice(worker.context(), slice_id)

    assert report is not None
    assert report.unknown_codes == 2


def test_a_dry_run_beside_real_orders_makes_none_and_loses_none(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=100)
    real = worker.accept({f"k{i}": order() for i in range(100)}, per=5)
    rehearsed = worker.accept({f"k{i}": order() for i in range(100)}, per=5, dry_run=True, ordered=True)

    def work(ids: list[int]) -> None:
        context = worker.context()
        for slice_id in ids:
            settle_slice(context, slice_id)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [real, rehearsed]))

    assert (worker.count("orders"), worker.allocated("BRASS-LAMP")) == (100, 100)
    assert worker.rows("SELECT max(number) FROM orders") == [(100,)]
