"""Settling a slice: orders, lines, allocations, stock, customers and outcomes, all of them or none."""

from __future__ import annotations

from decimal import Decimal

from tests.support.orders import line, lines, order
from tests.support.settling import settle_slice
from tests.support.worker_harness import MAIN, SHOP, WorkerHarness


def test_an_order_is_written_with_its_lines_its_stock_its_customer_and_its_outcome(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=5, shop=5)
    worker.stock("RED-STOOL", main=5)

    outcomes = worker.settle(
        {"x123": order(products=lines(("BRASS-LAMP", 7), ("RED-STOOL", 1)), shippingValue="4.90")}
    )

    assert outcomes == {"x123": {"status": "ok", "orders": [1]}}
    assert worker.rows("SELECT number, state, batch_key, position, part, grand_total FROM orders") == [
        (1, "created", '"x123"', 0, 0, Decimal("77.40"))
    ]
    assert worker.rows("SELECT line, sku, quantity, unit_price FROM order_lines ORDER BY line") == [
        (0, "BRASS-LAMP", 7, Decimal("10.00")),
        (1, "RED-STOOL", 1, Decimal("2.50")),
    ]
    assert worker.rows("SELECT line, warehouse_id, quantity FROM allocations ORDER BY 1, 2") == [
        (0, MAIN, 5),
        (0, SHOP, 2),
        (1, MAIN, 1),
    ]
    assert worker.rows("SELECT warehouse_id, allocated FROM stock WHERE item_id = 1 ORDER BY 1") == [
        (MAIN, 5),
        (SHOP, 2),
    ]
    assert worker.rows("SELECT email, registered_email FROM customers") == [("eva@example.com", None)]
    assert worker.rows("SELECT ok_count, codes FROM slices") == [(1, {})]


def test_a_rejected_order_leaves_nothing_behind_and_costs_its_neighbours_nothing(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=5)

    outcomes = worker.settle(
        {
            "good": order(),
            "greedy": order(line(qty=6)),
            "empty": order(products=[]),
            "unknown": order(line("NO-LAMP")),
            "malformed": order(line(qty=2.5)),
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
    assert (worker.count("orders"), worker.count("customers"), worker.allocated("BRASS-LAMP")) == (2, 2, 2)
    assert worker.rows("SELECT codes FROM slices") == [({"-1": 1, "-2": 1, "-3": 1, "-6": 1, "-7": 2},)]


def test_an_order_is_split_by_warehouse_into_parts_with_numbers_of_their_own(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2, shop=2)

    outcomes = worker.settle(
        {
            "a": order(line(qty=3), warehouseGroup="By warehouse", shippingValue=5, voucherValue="10.01"),
            "b": order(),
        }
    )

    assert outcomes["a"] == {"status": "ok", "orders": [1, 2]}
    assert worker.rows(
        "SELECT number, part, first_number, lines_total, shipping_value, voucher_value FROM orders"
        " WHERE first_number = 1 ORDER BY number"
    ) == [
        (1, 0, 1, Decimal("20.00"), Decimal("5.00"), Decimal("7.15")),
        (2, 1, 1, Decimal("10.00"), Decimal("0.00"), Decimal("2.86")),
    ]


def test_a_forced_order_is_split_by_availability_and_its_missing_line_is_back_ordered(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=1)
    wanted = lines(("NO-LAMP", 2), ("BRASS-LAMP", 1))
    wanted[0]["unitPrice"] = "1.00"

    outcomes = worker.settle(
        {"a": order(products=wanted, forceCreate=True, warehouseGroup="By availability")}
    )

    assert outcomes["a"]["orders"] == [1, 2]
    assert worker.rows(
        "SELECT order_number, line, item_id, sku, back_ordered FROM order_lines ORDER BY order_number"
    ) == [(1, 1, 1, "BRASS-LAMP", 0), (2, 0, None, "NO-LAMP", 2)]


def test_create_only_prepares_an_order_and_takes_no_stock(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1)

    outcomes = worker.settle(
        {"a": order(createOnly=True), "b": order(line(qty=2), createOnly=True), "c": order()}
    )

    assert outcomes["a"] == {"status": "ok", "order": 1}
    assert outcomes["b"]["code"] == -2
    assert outcomes["c"]["status"] == "ok"
    assert worker.rows("SELECT state FROM orders ORDER BY number") == [("prepared",), ("created",)]
    assert worker.allocated("BRASS-LAMP") == 1


def test_keys_of_any_kind_come_back_as_sent_and_in_their_order(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=10)
    keys = ["z", "", "\x00", "🙂", "k" * 1000, "a"]

    outcomes = worker.settle({key: order() for key in keys}, per=2)

    assert list(outcomes) == keys
    assert [one["orders"] for one in outcomes.values()] == [[1], [2], [3], [4], [5], [6]]


def test_what_an_order_says_is_stored_as_it_was_said(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1)
    address = {"country": "JP", "email": "eva@example.com", "address": "丸の内\t'; --", "city": "東京"}

    worker.settle(
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

    ((stored,),) = worker.rows("SELECT to_jsonb(orders) FROM orders")
    assert stored["invoice_address"] == stored["delivery_address"] == address
    assert stored["extra_attributes"] == {"weight": 1.5, "note": "a\tb"}
    assert stored["order_date"].startswith("2026-11-23T00:00:00")
    assert (stored["po_number"], stored["comment"]) == ("", "two\nlines")


def test_unknown_members_are_an_error_only_when_the_job_is_strict(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    batch = {"a": order(newParameter=1)}

    lenient = worker.settle(batch)
    strict = worker.settle(batch, strict=True)

    assert lenient["a"]["status"] == "ok"
    assert strict["a"]["errors"][0]["pointer"] == "/newParameter"


def test_a_key_that_is_limited_to_a_market_sells_there_only(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    worker.run("UPDATE api_keys SET market_ids = '{2}'")

    outcomes = worker.settle({"a": order(), "b": order(market="Elsewhere")})

    assert outcomes["a"]["msg"] == "market: the API key is not for market 'Europe'"
    assert outcomes["b"]["status"] == "ok"


def test_a_catalog_that_was_loaded_meanwhile_is_seen_by_the_next_slice(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=2)
    context = worker.context()
    (before,) = worker.accept({"a": order(market="Moon")})
    settle_slice(context, before)
    worker.run(
        "INSERT INTO markets (name, countries, pricelist_id, allocation_rule_id) VALUES ('Moon', '{}', 1, 1);"
        "UPDATE catalog_state SET version = version + 1"
    )
    (after,) = worker.accept({"a": order(market="Moon")})
    settle_slice(context, after)

    assert worker.outcomes(0)["a"]["msg"] == "market: no market is named 'Moon'"
    assert worker.outcomes(1)["a"]["status"] == "ok"
