"""Counts of stock as they are sent, and what came of them as it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from shared.domain.outcome import Fault
from shared.domain.stock_level import Edge, Raised, StockCount, StockSet
from shared.schemas.stock import Cursor, cursor_text
from shared.schemas.stock_count import read_counts, stock_set_json, unknown_warehouse_faults


def told(**what: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "changed": 0,
        "unchanged": 0,
        "not_found": [],
        "contradictory": [],
        "raised": [],
    }
    answer: dict[str, Any] = orjson.loads(stock_set_json(StockSet(**nothing | what)))
    return answer


def counts(*products: str) -> list[StockCount]:
    return [StockCount(at, product, 1) for at, product in enumerate(products)]


def test_a_count_without_a_warehouse_is_of_the_one_named_for_all() -> None:
    products = [
        {"product": "A", "quantity": 1},
        {"product": "B", "quantity": "2", "warehouse": "Shop"},
        {"product": "C", "quantity": Decimal("3.0"), "warehouse": None},
    ]

    read = read_counts({"warehouse": "Main", "products": products}, strict=False)

    assert read == (
        StockCount(0, "A", 1, "Main"),
        StockCount(1, "B", 2, "Shop"),
        StockCount(2, "C", 3, "Main"),
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    sent = {"warehouse": 1, "products": [{"product": "A", "quantity": -1}, {"quantity": 1}]}

    faults = read_counts(sent, strict=False)

    assert {fault.pointer for fault in faults if isinstance(fault, Fault)} == {
        "/warehouse",
        "/products/0/quantity",
        "/products/1/product",
    }


def test_everything_set_as_asked_is_ok() -> None:
    assert told(changed=3, unchanged=2) == {"status": "ok", "updated": 3, "unchanged": 2}


def test_what_was_not_set_as_asked_is_named_shortly_in_the_message_and_wholly_in_the_errors() -> None:
    answer = told(changed=1, not_found=counts(*"ABCDE"), raised=[Raised(StockCount(9, "Z", 1, "Shop"), 4)])

    assert (answer["status"], answer["code"]) == ("no", -7)
    assert answer["msg"] == (
        "Not everything was set as asked, the rest was: no item is named 'A', 'B', 'C' and 2 more;"
        " more is reserved than was counted of 'Z', so what is reserved was set."
    )
    assert answer["errors"] == {
        "productsNotFound": ["A", "B", "C", "D", "E"],
        "productsBelowAllocated": [{"product": "Z", "warehouse": "Shop", "quantity": 1, "physicalStock": 4}],
    }


def test_a_product_is_named_once_however_often_it_was_not_found() -> None:
    assert told(not_found=counts("A", "A"))["errors"] == {"productsNotFound": ["A"]}


def test_an_unknown_warehouse_is_told_where_it_stands() -> None:
    sent = {
        "warehouse": "Mars",
        "products": [{"product": "A"}, {"product": "B", "warehouse": "Moon"}, {"product": "C"}],
    }
    read = [
        StockCount(0, "A", 1, "Mars"),
        StockCount(1, "B", 1, "Moon"),
        StockCount(2, "C", 1, "Mars"),
    ]

    faults = unknown_warehouse_faults(read, sent, ["Mars", "Moon"])

    assert [(fault.pointer, fault.msg) for fault in faults] == [
        ("/warehouse", "no warehouse is named 'Mars'"),
        ("/products/1/warehouse", "no warehouse is named 'Moon'"),
    ]


@pytest.mark.parametrize("edge", [Edge(1), Edge(10**17, backwards=True), Edge(0, backwards=True)])
def test_a_cursor_comes_back_as_the_edge_that_it_was_made_of(edge: Edge) -> None:
    assert Cursor(most=40).deserialize(cursor_text(edge)) == edge
