"""A slice costs the same number of statements whatever its size (architecture §1, step 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection, Cursor
from sqlalchemy import event

from shared.domain.kinds import JobForm
from shared.domain.slicing import SMALL_QUEUE
from tests.support.orders import line, lines, order
from tests.support.worker_harness import WorkerHarness
from worker.settle.decide_and_write import LOCKED_LAST_FROM
from worker.settle.message import settle_message

FURTHER_STATEMENTS = 5
"""Of orders that become several, or wait: numbers, parts, lines that move, that keep fewer units, that go."""


class _CountingCursor(Cursor[Any]):
    """Counts what is sent to PostgreSQL: statements and COPY alike."""

    sent: list[str]

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(query))
        return super().execute(query, *args, **kwargs)

    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(statement))
        return super().copy(statement, *args, **kwargs)


def _statements(worker: WorkerHarness, batch: dict[str, Any], per: int = 250, **options: Any) -> list[str]:
    slice_ids = worker.accept(batch, per=per, **options)
    context = worker.context()
    sent: list[str] = []
    counting = type("Counting", (_CountingCursor,), {"sent": sent})

    def count(connection: Connection[Any], *_: object) -> None:
        connection.cursor_factory = counting

    worker.engine.dispose()
    event.listen(worker.engine, "connect", count)
    settle_message(context, slice_ids, SMALL_QUEUE)
    event.remove(worker.engine, "connect", count)
    worker.engine.dispose()
    assert all(one["status"] == "ok" for one in worker.outcomes().values()), worker.outcomes()
    return sent


def _plain(i: int) -> dict[str, Any]:
    return order(email=f"c{i}@example.com", products=lines(("BRASS-LAMP", 1), ("RED-STOOL", 2)))


def _everything(i: int) -> dict[str, Any]:
    return order(
        line(qty=3),
        email=f"c{i}@example.com",
        orderNumber=1_000_000 + i,
        customerRegister=True,
        customerSetNewPassword=True,
        voucherCodes=["TEN"],
        warehouseGroup="By warehouse",
        sendEmail=True,
        payment={"auth": {"status": 1, "amount": 5}},
        createdFromOrigin={"type": "return", "id": 1},
    )


@pytest.mark.parametrize("make", [_plain, _everything], ids=["plain", "everything"])
def test_a_slice_costs_the_same_statements_whatever_its_size(
    worker: WorkerHarness, make: Callable[[int], Any]
) -> None:
    worker.stock("BRASS-LAMP", main=10_000, shop=10_000)
    worker.stock("RED-STOOL", main=10_000)

    counts, first = [], 0
    for size in (1, 10, LOCKED_LAST_FROM, 250):
        batch = {f"k{i}": make(i) for i in range(first, first + size)}
        first += size
        counts.append(len(_statements(worker, batch)))

    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    # A savepoint, its end, and a look at the stock before it is locked.
    assert counts[3] - counts[0] in {0, 3}
    # A dozen to read the catalog, and two or three for each table.
    assert counts[0] < 45


@pytest.mark.parametrize("make", [_plain, _everything], ids=["plain", "everything"])
def test_small_slices_together_cost_the_same_statements_as_one(
    worker: WorkerHarness, make: Callable[[int], Any]
) -> None:
    worker.stock("BRASS-LAMP", main=10_000, shop=10_000)
    worker.stock("RED-STOOL", main=10_000)

    counts, first = [], 0
    for size in (1, 2, 25):
        batch = {f"k{i}": make(i) for i in range(first, first + size)}
        first += size
        counts.append(len(_statements(worker, batch, per=1)))

    assert counts[0] == counts[1] == counts[2]


def test_unique_keys_cost_a_slice_two_statements_more_whatever_its_size(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10_000)
    worker.stock("RED-STOOL", main=10_000)
    plain = len(_statements(worker, {f"p{i}": _plain(i) for i in range(250)}))

    counts = [
        len(_statements(worker, {f"{size}-{i}": _plain(i) for i in range(size)}, unique_keys=True))
        for size in (LOCKED_LAST_FROM, 250)
    ]

    assert counts == [plain + 2] * 2


def _as_prepared(_: int) -> dict[str, Any]:
    return {}


def _with_everything(_: int) -> dict[str, Any]:
    paid = {"id": 4, "capture": {"status": 1, "amount": 5, "transaction": "T-77"}}
    return {"payment": paid, "comment": "c", "orderDate": "2027-01-31", "warehouseGroup": "By warehouse"}


@pytest.mark.parametrize("say", [_as_prepared, _with_everything], ids=["plain", "everything"])
def test_a_slice_of_completions_costs_the_same_statements_whatever_its_size(
    worker: WorkerHarness, say: Callable[[int], Any]
) -> None:
    worker.stock("BRASS-LAMP", main=400, shop=10_000)
    # Some are split, some are back-ordered, and each size has some of both.
    worker.stock("RED-STOOL", main=20)

    counts, again = [], []
    for size in (2, 10, 250):
        wanted = lines(("BRASS-LAMP", 2), ("RED-STOOL", 1))
        orders = {f"k{i}": order(products=wanted, createOnly=True) for i in range(size)}
        prepared = [outcome["order"] for outcome in worker.settle(orders).values()]
        batch = {f"k{i}": {"order": number, **say(i)} for i, number in enumerate(prepared)}
        counts.append(len(_statements(worker, batch, form=JobForm.COMPLETIONS)))
        again.append(len(_statements(worker, batch, form=JobForm.COMPLETIONS)))

    assert max(counts) - min(counts) <= FURTHER_STATEMENTS
    assert again[0] == again[1] == again[2]
    assert max(counts) < 50


@pytest.mark.parametrize("per", [1, 5])
def test_slices_of_completions_share_a_transaction_and_its_statements(
    worker: WorkerHarness, per: int
) -> None:
    worker.stock("BRASS-LAMP", main=10_000)

    counts = []
    for size in (5, 10, 25):
        orders = {f"k{i}": order(createOnly=True) for i in range(size)}
        prepared = [outcome["order"] for outcome in worker.settle(orders).values()]
        batch = {f"k{i}": {"order": number} for i, number in enumerate(prepared)}
        counts.append(len(_statements(worker, batch, per=per, form=JobForm.COMPLETIONS)))

    assert counts[0] == counts[1] == counts[2]
