"""A slice costs the same number of statements whatever its size (architecture §1, step 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection, Cursor
from sqlalchemy import event

from shared.domain.slicing import SMALL_QUEUE
from shared.settings import Settings
from tests.support.invariants import broken_invariants
from tests.support.mill import Mill, lines, open_mill, order
from worker.settle.decide_and_write import LOCKED_LAST_FROM
from worker.settle.message import settle_message


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        yield made
        assert broken_invariants(made.engine) == {}


class _CountingCursor(Cursor[Any]):
    """Counts what is sent to PostgreSQL: statements and COPY alike."""

    sent: list[str]

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(query))
        return super().execute(query, *args, **kwargs)

    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(statement))
        return super().copy(statement, *args, **kwargs)


def _statements(mill: Mill, batch: dict[str, Any], per: int = 250) -> list[str]:
    slice_ids = mill.promise(batch, per=per)
    context = mill.context()
    sent: list[str] = []
    counting = type("Counting", (_CountingCursor,), {"sent": sent})

    def count(connection: Connection[Any], *_: object) -> None:
        connection.cursor_factory = counting

    mill.engine.dispose()
    event.listen(mill.engine, "connect", count)
    settle_message(context, slice_ids, SMALL_QUEUE)
    event.remove(mill.engine, "connect", count)
    mill.engine.dispose()
    assert all(one["status"] == "ok" for one in mill.outcomes().values()), mill.outcomes()
    return sent


def _plain(i: int) -> dict[str, Any]:
    return order(email=f"c{i}@example.com", products=lines(("BRASS-LAMP", 1), ("RED-STOOL", 2)))


def _everything(i: int) -> dict[str, Any]:
    return order(
        email=f"c{i}@example.com",
        qty=3,
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
def test_a_slice_costs_the_same_statements_whatever_its_size(mill: Mill, make: Callable[[int], Any]) -> None:
    mill.stock("BRASS-LAMP", main=10_000, shop=10_000)
    mill.stock("RED-STOOL", main=10_000)

    counts, first = [], 0
    for size in (1, 10, LOCKED_LAST_FROM, 250):
        batch = {f"k{i}": make(i) for i in range(first, first + size)}
        first += size
        counts.append(len(_statements(mill, batch)))

    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    # A savepoint, its end, and a look at the stock before it is locked.
    assert counts[3] - counts[0] in {0, 3}
    # A dozen to read the catalog, and two or three for each table.
    assert counts[0] < 45


@pytest.mark.parametrize("make", [_plain, _everything], ids=["plain", "everything"])
def test_small_slices_together_cost_the_same_statements_as_one(
    mill: Mill, make: Callable[[int], Any]
) -> None:
    mill.stock("BRASS-LAMP", main=10_000, shop=10_000)
    mill.stock("RED-STOOL", main=10_000)

    counts, first = [], 0
    for size in (1, 2, 25):
        batch = {f"k{i}": make(i) for i in range(first, first + size)}
        first += size
        counts.append(len(_statements(mill, batch, per=1)))

    assert counts[0] == counts[1] == counts[2]
