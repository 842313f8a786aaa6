"""One lock order everywhere: read from the statements that slices, completions, counts and loads send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus
from sqlalchemy import event

from shared.domain.catalog_file import LoadSummary
from shared.domain.rejections import cancelled
from shared.domain.slicing import SMALL_QUEUE
from shared.domain.stock_count import StockCount
from shared.persistence.catalog.load import load_catalog
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.cancel import cancel_free_slices, request_cancel
from shared.persistence.stock.counts import set_stock
from shared.schemas.catalog import read_catalog
from shared.schemas.outcome import outcome_json
from tests.support.orders import line, order
from tests.support.worker_harness import WorkerHarness
from worker.settle.message import settle_message

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CANCELLED = orjson.dumps(outcome_json(cancelled()))
# The rows that two transactions may want at once, in the one order in which they are taken.
ORDER = ["slices", "unique_keys", "orders", "stock", "vouchers", "customers", "jobs"]
# New rows are nobody else's, but for those that two may be the first to need.
_WRITES = re.compile(r"\b(?:UPDATE|DELETE FROM|INSERT INTO(?! (?:order|job|slice)s\b)) (\w+)", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR (?:NO KEY )?UPDATE(?: OF (\w+))?", re.IGNORECASE)
_READS = re.compile(r"\b(?:FROM|JOIN) (\w+)", re.IGNORECASE)


def locked(statement: str) -> list[str]:
    """The tables whose rows a statement locks: those that it says, else all that it reads."""
    said = _LOCKS.findall(statement)
    return [name for name in said if name] or (_READS.findall(statement) if said else [])


class _ReadingCursor(Cursor[Any]):
    """Keeps which tables' rows each transaction locks or writes, in order."""

    transactions: list[list[str]]

    def _note(self, query: Any) -> None:
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            self.transactions.append([])
        said = str(query)
        for table in [*locked(said), *_WRITES.findall(said)]:
            if table in ORDER and table not in self.transactions[-1]:
                self.transactions[-1].append(table)

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self._note(query)
        return super().execute(query, *args, **kwargs)


@contextmanager
def reading_locks(worker: WorkerHarness) -> Iterator[list[list[str]]]:
    """The tables, in order, whose rows each transaction of the block has locked or written."""
    seen: list[list[str]] = []
    reading = type("Reading", (_ReadingCursor,), {"transactions": seen})

    def read(connection: Connection[Any], *_: object) -> None:
        connection.cursor_factory = reading

    worker.engine.dispose()
    event.listen(worker.engine, "connect", read)
    yield seen
    event.remove(worker.engine, "connect", read)
    worker.engine.dispose()


def load(worker: WorkerHarness, catalog: dict[str, Any]) -> LoadSummary:
    read = read_catalog(json.dumps(catalog).encode(), ZoneInfo("UTC"), lambda *_: None)
    return load_catalog(worker.engine, read, lambda *_: None)


def catalog(physical: int, percent: int) -> dict[str, Any]:
    return {
        "items": [
            {"sku": "BRASS-LAMP", "stock": {"Main": physical, "Shop": physical}},
            {"sku": "NEW-VASE", "stock": {"Main": physical}},
        ],
        "vouchers": [
            {"code": "TEN", "percent": str(percent), "uses": 1_000_000},
            {"code": "NEW", "percent": "1", "uses": 5},
        ],
    }


def decide(worker: WorkerHarness, batch: dict[str, Any], form: str = "batch", **options: Any) -> None:
    slice_ids = worker.accept(batch, **options)
    worker.run("UPDATE jobs SET form = :form WHERE id = :id", form=form, id=worker.jobs[-1])
    settle_message(worker.context(), slice_ids, SMALL_QUEUE)
    assert [one["status"] for one in worker.outcomes().values()] == ["ok"] * len(batch), worker.outcomes()


@pytest.fixture(autouse=True)
def lamps(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=100, shop=100)


def test_everybody_locks_what_others_may_want_in_one_order(worker: WorkerHarness) -> None:
    wanted: dict[str, Any] = {"voucherCodes": ["TEN"], "customerRegister": True}
    with reading_locks(worker) as seen:
        decide(worker, {"waits": order(line(qty=1_000), forceCreate=True)})
        decide(worker, {"a": order(**wanted), "b": order(createOnly=True, **wanted)})
        prepared = worker.outcomes()["b"]["order"]
        decide(worker, {"d": order(**wanted)}, unique_keys=True)
        decide(worker, {str(prepared): {"payment": {"auth": {"status": 1, "amount": 5}}}}, "completion")
        set_stock(worker.engine, [StockCount(0, "BRASS-LAMP", 50, "Main")], None)
        load(worker, catalog(physical=70, percent=11))
        worker.accept({"c": order(**wanted)})
        request_cancel(worker.engine, worker.jobs[-1])
        cancel_free_slices(worker.engine, worker.jobs[-1], CANCELLED)

    before: dict[str, set[str]] = {}
    for transaction in seen:
        for first, second in pairwise(transaction):
            before.setdefault(second, set()).add(first)
    # Raises CycleError, naming the ring, where two of them could wait for each other.
    assert list(TopologicalSorter(before).static_order()) == ORDER
    # And all were seen at it: a slice, one of unique keys, a completion, a count, a load, a cancellation.
    kinds = [
        ["slices", "stock", "vouchers", "customers", "jobs"],
        ["slices", "unique_keys", "stock", "vouchers", "jobs"],
        ["slices", "orders", "stock", "jobs"],
        ["slices", "jobs"],
        ["orders", "stock"],
        ["orders", "stock", "vouchers"],
    ]
    assert all(kind in seen for kind in kinds), seen


def test_a_load_that_loses_a_deadlock_is_begun_again(worker: WorkerHarness) -> None:
    worker.fails("stock", "true", "40P01", times=2)

    summary = load(worker, catalog(physical=70, percent=11))

    assert summary.counts["stock"].inserted == 1
    assert summary.counts["vouchers"].changed == 1
    assert worker.rows("SELECT percent FROM vouchers WHERE code = 'TEN'") == [(11,)]


def test_a_load_that_meets_a_limit_is_not_begun_again(worker: WorkerHarness) -> None:
    worker.fails("stock", "true", "55P03", times=1)

    with pytest.raises(PersistenceError):
        load(worker, catalog(physical=70, percent=11))
