"""A slice costs the same number of statements whatever its size (architecture §1, step 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection, Cursor
from sqlalchemy import event

from shared.domain.slicing import SMALL_QUEUE
from tests.support.orders import line, lines, order
from tests.support.worker_harness import WorkerHarness
from worker.settle.decide_and_write import LOCKED_LAST_FROM
from worker.settle.message import settle_message


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
