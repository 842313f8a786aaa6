"""What a worker remembers of the catalog's items: never longer than the catalog stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from shared.domain.order import LineRequest
from shared.domain.slicing import SMALL_QUEUE
from tests.support.orders import lines, order
from tests.support.worker_harness import WorkerHarness
from worker.context import WorkerContext
from worker.settle.known_items import KnownItems
from worker.settle.message import settle_message


@pytest.fixture(autouse=True)
def goods(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=100)
    worker.stock("RED-STOOL", main=100)


def _outcome(worker: WorkerHarness, context: WorkerContext, **products: int) -> dict[str, Any]:
    sent = lines(*((name.replace("_", "-"), quantity) for name, quantity in products.items()))
    settle_message(context, worker.accept({"a": order(products=sent)}), SMALL_QUEUE)
    return worker.outcomes()["a"]


def _reads(worker: WorkerHarness, context: WorkerContext, **products: int) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(worker.engine, "before_cursor_execute", note)
    _outcome(worker, context, **products)
    event.remove(worker.engine, "before_cursor_execute", note)
    return sum("FROM items" in statement for statement in seen)


def test_what_a_load_changes_is_so_for_the_next_order_of_the_same_worker(worker: WorkerHarness) -> None:
    context = worker.context()
    assert _outcome(worker, context, BRASS_LAMP=1)["status"] == "ok"
    worker.run("UPDATE items SET active = false WHERE sku = 'BRASS-LAMP'")
    worker.run("UPDATE catalog_state SET version = version + 1")

    assert _outcome(worker, context, BRASS_LAMP=1)["code"] == -1


def test_an_item_that_a_load_adds_is_known_though_it_was_asked_for_before(worker: WorkerHarness) -> None:
    context = worker.context()
    assert _outcome(worker, context, NEW_VASE=1)["code"] == -1
    worker.run("UPDATE items SET sku = 'NEW-VASE' WHERE sku = 'RED-STOOL'")
    worker.run("UPDATE catalog_state SET version = version + 1")

    assert _outcome(worker, context, NEW_VASE=1)["status"] == "ok"


def test_items_are_read_once_while_the_catalog_stays_as_it_is(worker: WorkerHarness) -> None:
    context = worker.context()

    reads = [
        _reads(worker, context, BRASS_LAMP=1),
        _reads(worker, context, BRASS_LAMP=1),
        _reads(worker, context, BRASS_LAMP=1, RED_STOOL=1),
        _reads(worker, context, NO_SUCH=1),
        _reads(worker, context, NO_SUCH=1),
    ]

    assert reads == [1, 0, 1, 1, 0]


def test_a_name_of_another_kind_than_those_known_is_asked_for(worker: WorkerHarness) -> None:
    known, asked = KnownItems(), [LineRequest(1, sku="BRASS-LAMP"), LineRequest(1, upc="7310000000017")]
    with worker.engine.connect() as connection:
        by_sku = known.assortment(connection, 1, asked[:1])
        by_code = known.assortment(connection, 1, asked[1:])

    lamp = by_sku.by_sku["BRASS-LAMP"]
    assert by_code.by_code(upc="7310000000017") == by_code.by_id[lamp.id] == lamp


def test_what_clients_ask_for_is_remembered_up_to_a_bound(worker: WorkerHarness) -> None:
    known, sizes = KnownItems(most=50), []
    with worker.engine.connect() as connection:
        for batch in range(20):
            skus = ["BRASS-LAMP", *(f"{batch}-{n}" for n in range(9))]
            named = [LineRequest(1, sku=sku) for sku in skus]
            assert known.assortment(connection, 1, named).by_sku["BRASS-LAMP"].prices
            sizes.append(known.size)

    assert max(sizes) <= 50
