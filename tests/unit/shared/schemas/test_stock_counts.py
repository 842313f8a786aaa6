"""Counts of stock as they are sent, and what came of them as it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from shared.domain.outcome import Fault
from shared.domain.reasons import ITEM_UNKNOWN
from shared.domain.stock_count import Raised, StockCount, StockSet
from shared.domain.stock_level import Edge
from shared.schemas.lists.stock import StockCursor, cursor_text
from shared.schemas.stock_count import CountsRead, read_counts, stock_set_json


def told(*unread: Fault, **what: Any) -> dict[str, Any]:
    done = StockSet(**{"changed": 0, "unchanged": 0} | what)
    answer: dict[str, Any] = orjson.loads(stock_set_json(done, unread))
    return answer


def read(sent: Any, *, strict: bool = False) -> CountsRead:
    counts = read_counts(sent, strict=strict)
    assert isinstance(counts, CountsRead)
    return counts


def refused(sent: Any, *, strict: bool = False) -> list[tuple[str, str]]:
    faults = read_counts(sent, strict=strict)
    assert isinstance(faults, list)
    return [(fault.pointer, fault.msg) for fault in faults]


def test_a_count_without_a_warehouse_is_of_the_one_named_for_all() -> None:
    products = [
        {"product": "A", "quantity": 1},
        {"product": "B", "quantity": "2", "warehouse": "Shop"},
        {"product": "C", "quantity": Decimal("3.0"), "warehouse": None},
        {"product": "D", "change": "-4", "quantity": None},
        {"product": "E", "change": "", "quantity": 0, "warehouse": ""},
    ]

    assert read({"warehouse": "Main", "products": products}) == CountsRead(
        [
            StockCount(0, "A", 1, "Main"),
            StockCount(1, "B", 2, "Shop"),
            StockCount(2, "C", 3, "Main"),
            StockCount(3, "D", -4, "Main", is_change=True),
            StockCount(4, "E", 0, "Main"),
        ],
        [],
    )


def test_all_that_is_wrong_with_rows_is_told_and_the_others_are_read() -> None:
    rows = [{"product": 7, "quantity": -1}, {"product": "A", "quantity": 1}, {"quantity": 1}, 5]

    found = read({"products": rows})

    assert found.counts == [StockCount(1, "A", 1)]
    assert [fault.pointer for fault in found.faults] == [
        "/products/0/product",
        "/products/0/quantity",
        "/products/2/product",
        "/products/3",
    ]


def test_what_is_wrong_around_the_rows_refuses_them_all() -> None:
    row = {"product": "A", "quantity": -1}

    assert refused({"warehouse": 1, "products": [row]}) == [
        ("/warehouse", "1 is not a string; send it in quotes, for zeros at its start would be lost"),
        ("/products/0/quantity", "-1 is not in 0..2147483647"),
    ]
    assert [pointer for pointer, _ in refused({"xml": 1, "products": []}, strict=True)] == ["/xml"]


def test_an_unknown_member_of_a_row_is_an_error_of_that_row_where_that_was_asked_for() -> None:
    rows = [{"product": "A", "quantity": 1, "cost": 5}, {"product": "B", "quantity": 1}]

    assert [count.at for count in read({"products": rows}).counts] == [0, 1]
    strict = read({"products": rows}, strict=True)
    assert [count.at for count in strict.counts] == [1]
    assert [fault.pointer for fault in strict.faults] == ["/products/0/cost"]


def test_a_row_of_many_unknown_members_has_a_few_faults() -> None:
    row = {"product": "A", "quantity": 1} | dict.fromkeys(map(str, range(1000)))

    assert len(read({"products": [row]}, strict=True).faults) == 5


def test_everything_set_as_asked_is_ok() -> None:
    assert told(changed=3, unchanged=2) == {"status": "ok", "updated": 3, "unchanged": 2}


def test_a_count_below_what_is_reserved_is_no_error() -> None:
    raised = [Raised(StockCount(9, "Z", 1, "Shop"), 4)]

    assert told(changed=1, raised=raised) == {
        "status": "ok",
        "updated": 1,
        "unchanged": 0,
        "raised": [
            {
                "pointer": "/products/9",
                "product": "Z",
                "warehouse": "Shop",
                "quantity": 1,
                "physicalStock": 4,
            }
        ],
    }


def test_rows_that_were_not_taken_are_told_by_their_place_up_to_all_of_them() -> None:
    faults = [Fault(ITEM_UNKNOWN, f"/products/{at}/product", "none") for at in range(100)]

    answer = told(*faults[50:], changed=1, faults=faults[:50])

    assert (answer["status"], answer["code"], answer["updated"]) == ("no", -7, 1)
    assert answer["msg"].startswith("100 counts were not taken, the others were: products[0].product: none; ")
    assert [error["pointer"] for error in answer["errors"]] == [fault.pointer for fault in faults]
    assert answer["errors"][0] == {
        "pointer": "/products/0/product",
        "reason": "item_unknown",
        "msg": "none",
        "params": {},
    }


@pytest.mark.parametrize("edge", [Edge(1), Edge(10**17, backwards=True), Edge(0, backwards=True)])
def test_a_cursor_comes_back_as_the_edge_that_it_was_made_of(edge: Edge) -> None:
    assert StockCursor().deserialize(cursor_text(edge)) == edge
