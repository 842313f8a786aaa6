"""An order that takes too long to be read or decided: it alone is given up, and no worker dies of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.domain.decide import decide
from shared.domain.parsed import Parsed
from shared.domain.resolve import prepare
from shared.domain.slicing import SMALL_QUEUE
from shared.schemas.order.reading import OrderReader
from tests.support.orders import order
from tests.support.settling import settle_slice
from tests.support.worker_harness import WorkerHarness
from worker.settle.message import settle_message

ENDLESS = "ENDLESS"
LIMIT_SECONDS = 0.4


pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


@pytest.fixture(params=["read", "prepare", "decide"])
def endless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, looking up or deciding an order that says so never ends."""
    read = OrderReader.read

    def read_it(reader: OrderReader, raw: bytes | msgspec.Raw) -> Parsed:
        while ENDLESS.encode() in bytes(raw):
            pass
        return read(reader, raw)

    def is_endless(wanted: Any) -> bool:
        return getattr(wanted, "comment", None) == ENDLESS

    def prepare_it(parsed: Parsed, *args: Any, **how: Any) -> Any:
        while is_endless(parsed.request):
            pass
        return prepare(parsed, *args, **how)

    def decide_them(drafts: Any, available: Any, uses: Any) -> Any:
        while any(is_endless(draft.request) for draft in drafts if hasattr(draft, "request")):
            pass
        return decide(drafts, available, uses)

    match request.param:
        case "read":
            monkeypatch.setattr(OrderReader, "read", read_it)
        case "prepare":
            monkeypatch.setattr("worker.settle.place_orders.prepare", prepare_it)
        case _:
            monkeypatch.setattr("worker.settle.decide_and_write.decide", decide_them)


@pytest.mark.usefixtures("endless")
def test_an_order_that_takes_too_long_costs_only_itself(worker: WorkerHarness) -> None:
    context = worker.context(order_limit_seconds=LIMIT_SECONDS)
    (slice_id,) = worker.accept({"a": order(), "bad": order(comment=ENDLESS), "b": order()})

    assert settle_slice(context, slice_id) is not None

    outcomes = worker.outcomes()
    assert {key: one["status"] for key, one in outcomes.items()} == {"a": "ok", "bad": "no", "b": "ok"}
    assert outcomes["bad"]["code"] == -7
    assert outcomes["bad"]["retryable"] is False
    assert "more than 0.4 seconds of processor time" in outcomes["bad"]["msg"]
    assert worker.rows("SELECT attempts FROM slices") == [(1,)]


@pytest.mark.usefixtures("endless")
def test_an_order_that_takes_too_long_is_given_up_beside_others_of_its_message(worker: WorkerHarness) -> None:
    context = worker.context(order_limit_seconds=LIMIT_SECONDS)
    wanted = [order(), order(comment=ENDLESS), order()]
    slice_ids = [slice_id for one in wanted for slice_id in worker.accept({"k": one})]

    settled = settle_message(context, slice_ids, SMALL_QUEUE)

    assert settled.left == {}
    assert [worker.outcomes(job)["k"]["status"] for job in range(3)] == ["ok", "no", "ok"]


def test_a_slice_that_takes_the_messages_time_is_cut_up_until_each_order_stands_alone(
    worker: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = OrderReader.read

    def read_for_ever(reader: OrderReader, raw: bytes | msgspec.Raw) -> Parsed:
        while ENDLESS.encode() in bytes(raw):
            pass
        return read(reader, raw)

    monkeypatch.setattr(OrderReader, "read", read_for_ever)
    # On a machine that is busy with others, working may look like waiting; here it is known not to be.
    monkeypatch.setattr("worker.settle.trial._BUSY_SHARE", 0.0)
    # Each order is within its own limit.
    context = worker.context(task_limit_seconds=5, order_limit_seconds=1000)
    (slice_id,) = worker.accept({"a": order(), "bad": order(comment=ENDLESS)})

    assert settle_slice(context, slice_id) is None

    pieces = worker.rows("SELECT order_count, attempts, closed_at FROM slices ORDER BY number")
    assert pieces == [(1, 0, None), (1, 0, None)]
