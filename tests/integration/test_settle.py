"""Settling a slice: orders, lines, allocations, stock, customers and outcomes, all of them or none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from shared.settings import Settings
from tests.support.invariants import broken_invariants
from tests.support.mill import MAIN, SHOP, Mill, lines, open_mill, order
from tests.support.settling import settle_slice


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        yield made
        assert broken_invariants(made.engine) == {}


def test_an_order_is_written_with_its_lines_its_stock_its_customer_and_its_outcome(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=5, shop=5)
    mill.stock("RED-STOOL", main=5)

    outcomes = mill.settle(
        {"x123": order(products=lines(("BRASS-LAMP", 7), ("RED-STOOL", 1)), shippingValue="4.90")}
    )

    assert outcomes == {"x123": {"status": "ok", "orders": [1]}}
    assert mill.rows("SELECT number, state, batch_key, position, part, grand_total FROM orders") == [
        (1, "created", '"x123"', 0, 0, Decimal("77.40"))
    ]
    assert mill.rows("SELECT line, sku, quantity, unit_price FROM order_lines ORDER BY line") == [
        (0, "BRASS-LAMP", 7, Decimal("10.00")),
        (1, "RED-STOOL", 1, Decimal("2.50")),
    ]
    assert mill.rows("SELECT line, warehouse_id, quantity FROM allocations ORDER BY 1, 2") == [
        (0, MAIN, 5),
        (0, SHOP, 2),
        (1, MAIN, 1),
    ]
    assert mill.rows("SELECT warehouse_id, allocated FROM stock WHERE item_id = 1 ORDER BY 1") == [
        (MAIN, 5),
        (SHOP, 2),
    ]
    assert mill.rows("SELECT email, registered_email FROM customers") == [("eva@example.com", None)]
    assert mill.rows("SELECT ok_count, codes FROM slices") == [(1, {})]


def test_a_rejected_order_leaves_nothing_behind_and_costs_its_neighbours_nothing(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=5)

    outcomes = mill.settle(
        {
            "good": order(),
            "greedy": order(qty=6),
            "empty": order(products=[]),
            "unknown": order("NO-LAMP"),
            "malformed": order(qty=2.5),
            "nobody": order(customerId=99),
            "number": 5,
            "fine": order(),
        }
    )

    assert {key: one.get("code", "ok") for key, one in outcomes.items()} == {
        "good": "ok",
        "greedy": -2,
        "empty": -3,
        "unknown": -1,
        "malformed": -7,
        "nobody": -6,
        "number": -7,
        "fine": "ok",
    }
    assert outcomes["greedy"]["msg"] == "products[0]: 6 wanted, 4 available of SKU 'BRASS-LAMP'"
    assert (mill.count("orders"), mill.count("customers"), mill.allocated("BRASS-LAMP")) == (2, 2, 2)
    assert mill.rows("SELECT codes FROM slices") == [({"-1": 1, "-2": 1, "-3": 1, "-6": 1, "-7": 2},)]


def test_an_order_is_split_by_warehouse_into_parts_with_numbers_of_their_own(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=2, shop=2)

    outcomes = mill.settle(
        {
            "a": order(qty=3, warehouseGroup="By warehouse", shippingValue=5, voucherValue="10.01"),
            "b": order(),
        }
    )

    assert outcomes["a"] == {"status": "ok", "orders": [1, 2]}
    assert mill.rows(
        "SELECT number, part, first_number, lines_total, shipping_value, voucher_value FROM orders"
        " WHERE first_number = 1 ORDER BY number"
    ) == [
        (1, 0, 1, Decimal("20.00"), Decimal("5.00"), Decimal("7.15")),
        (2, 1, 1, Decimal("10.00"), Decimal("0.00"), Decimal("2.86")),
    ]


def test_a_forced_order_is_split_by_availability_and_its_missing_line_is_back_ordered(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=1)
    wanted = lines(("NO-LAMP", 2), ("BRASS-LAMP", 1))
    wanted[0]["unitPrice"] = "1.00"

    outcomes = mill.settle({"a": order(products=wanted, forceCreate=True, warehouseGroup="By availability")})

    assert outcomes["a"]["orders"] == [1, 2]
    assert mill.rows(
        "SELECT order_number, line, item_id, sku, back_ordered FROM order_lines ORDER BY order_number"
    ) == [(1, 1, 1, "BRASS-LAMP", 0), (2, 0, None, "NO-LAMP", 2)]


def test_create_only_prepares_an_order_and_takes_no_stock(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=1)

    outcomes = mill.settle({"a": order(createOnly=True), "b": order(createOnly=True, qty=2), "c": order()})

    assert outcomes["a"] == {"status": "ok", "order": 1}
    assert outcomes["b"]["code"] == -2
    assert outcomes["c"]["status"] == "ok"
    assert mill.rows("SELECT state FROM orders ORDER BY number") == [("prepared",), ("created",)]
    assert mill.allocated("BRASS-LAMP") == 1


def test_keys_of_any_kind_come_back_as_sent_and_in_their_order(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=10)
    keys = ["z", "", "\x00", "🙂", "k" * 1000, "a"]

    outcomes = mill.settle({key: order() for key in keys}, per=2)

    assert list(outcomes) == keys
    assert [one["orders"] for one in outcomes.values()] == [[1], [2], [3], [4], [5], [6]]


def test_what_an_order_says_is_stored_as_it_was_said(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=1)
    address = {"country": "JP", "email": "eva@example.com", "address": "丸の内\t'; --", "city": "東京"}

    mill.settle(
        {
            "a": order(
                address=address,
                market="Europe",
                extraAttributes={"weight": 1.50, "note": "a\tb", "gone": ""},
                orderDate="2026-11-23",
                poNumber="",
                comment="two\nlines",
            )
        }
    )

    ((stored,),) = mill.rows("SELECT to_jsonb(orders) FROM orders")
    assert stored["invoice_address"] == stored["delivery_address"] == address
    assert stored["extra_attributes"] == {"weight": 1.5, "note": "a\tb"}
    assert stored["order_date"].startswith("2026-11-23T00:00:00")
    assert (stored["po_number"], stored["comment"]) == ("", "two\nlines")


def test_unknown_members_are_an_error_only_when_the_job_is_strict(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=2)
    batch = {"a": order(newParameter=1)}

    lenient = mill.settle(batch)
    strict = mill.settle(batch, strict=True)

    assert lenient["a"]["status"] == "ok"
    assert strict["a"]["errors"][0]["pointer"] == "/newParameter"


def test_a_key_that_is_limited_to_a_market_sells_there_only(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=2)
    mill.run("UPDATE api_keys SET market_ids = '{2}'")

    outcomes = mill.settle({"a": order(), "b": order(market="Elsewhere")})

    assert outcomes["a"]["msg"] == "market: the API key is not for market 'Europe'"
    assert outcomes["b"]["status"] == "ok"


def test_a_catalog_that_was_loaded_meanwhile_is_seen_by_the_next_slice(mill: Mill) -> None:
    mill.stock("BRASS-LAMP", main=2)
    context = mill.context()
    (before,) = mill.promise({"a": order(market="Moon")})
    settle_slice(context, before)
    mill.run(
        "INSERT INTO markets (name, countries, pricelist_id, allocation_rule_id) VALUES ('Moon', '{}', 1, 1);"
        "UPDATE catalog_state SET version = version + 1"
    )
    (after,) = mill.promise({"a": order(market="Moon")})
    settle_slice(context, after)

    assert mill.outcomes(0)["a"]["msg"] == "market: no market is named 'Moon'"
    assert mill.outcomes(1)["a"]["status"] == "ok"
