"""POST /v1/order/<number>: completing what createOnly prepared, and adding to it later."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from tests.support.catalog_files import load
from tests.support.orders import line, order
from tests.support.parameter_shop import accepted, numbers_of, read_parts, settle_at_once, stock_of
from tests.support.placed_orders import told
from tests.support.settling import settle_slice

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop

ITEMS = count(1)


def new_item(shop: Shop, **stock: int) -> str:
    """Put an item into the catalog that no other test takes from."""
    sku = f"CLAY-POT-{next(ITEMS)}"
    load(shop.api.engine, {"items": [{"sku": sku, "prices": {"EUR": "10"}, "stock": stock}]})
    return sku


def prepared(shop: Shop, *lines: dict[str, Any], **rest: Any) -> int:
    outcome = shop.place({"a": order(*lines, createOnly=True, **rest)})["a"]
    assert outcome.keys() == {"status", "order"}, outcome
    return int(outcome["order"])


def complete(shop: Shop, number: int | str, details: Any = None, **headers: str) -> TestResponse:
    """Ask for a completion without settling it."""
    sent = {"API-Authorization": shop.api.key, "Content-Type": "application/json", "Prefer": "respond-async"}
    return shop.api.client.post(
        f"/v1/order/{number}", data=orjson.dumps(details or {}), headers={**sent, **headers}
    )


def only(shop: Shop, number: int) -> dict[str, Any]:
    [found] = shop.orders(f"?order={number}")
    return found


def test_preparing_checks_the_stock_and_takes_none(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=1)

    outcomes = parameter_shop.place(
        {
            "first": order(line(pot), createOnly=True),
            "second": order(line(pot), createOnly=True),
            "too much": order(line(pot, 2), createOnly=True),
        }
    )

    assert [outcome["status"] for outcome in outcomes.values()] == ["ok", "ok", "no"]
    assert outcomes["too much"]["code"] == -2
    assert stock_of(parameter_shop, pot) == {"Main": (1, 0)}


def test_completing_takes_the_stock_now(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=3)
    number = prepared(parameter_shop, line(pot, 2))

    outcome = parameter_shop.complete(number)

    assert outcome == {"status": "ok", "orders": [number]}
    assert stock_of(parameter_shop, pot) == {"Main": (3, 2)}
    found = only(parameter_shop, number)
    assert (found["state"], found["products"][0]["warehouses"]) == (
        "created",
        [{"name": "Main", "itemQty": 2}],
    )


def test_what_is_missing_by_now_is_back_ordered(parameter_shop: Shop) -> None:
    pot, vase = new_item(parameter_shop, Main=1), new_item(parameter_shop, Main=5)
    number = prepared(parameter_shop, line(pot), line(vase, 2))
    parameter_shop.place({"quicker": order(line(pot))})

    assert parameter_shop.complete(number)["orders"] == [number]

    gone, there = only(parameter_shop, number)["products"]
    assert (gone["backOrdered"], gone["warehouses"]) == (1, [])
    assert (there["backOrdered"], there["warehouses"]) == (0, [{"name": "Main", "itemQty": 2}])
    assert (stock_of(parameter_shop, pot), stock_of(parameter_shop, vase)) == (
        {"Main": (1, 1)},
        {"Main": (5, 2)},
    )


@pytest.mark.parametrize("chosen_when_completing", [False, True])
def test_completing_splits_by_the_rule_and_the_first_part_keeps_the_number(
    parameter_shop: Shop, chosen_when_completing: bool
) -> None:
    pot = new_item(parameter_shop, Main=2, Shop=3)
    group = {"warehouseGroup": "Apart"}
    number = prepared(
        parameter_shop,
        line(pot, 5, comment="wrap it", itemText={"sku": "P"}),
        shippingValue="5.00",
        voucherValue="0.03",
        comment="ring twice",
        **({} if chosen_when_completing else group),
    )

    outcome = parameter_shop.complete(number, **(group if chosen_when_completing else {}))

    parts = read_parts(parameter_shop, outcome)
    assert (len(parts), parts[0]["orderId"]) == (2, number)
    assert [part["products"][0]["warehouses"] for part in parts] == [
        [{"name": "Main", "itemQty": 2}],
        [{"name": "Shop", "itemQty": 3}],
    ]
    assert [part["products"][0]["qty"] for part in parts] == [2, 3]
    assert [part["totalItemsPrice"] for part in parts] == [20.0, 30.0]
    assert [part["shippingValue"] for part in parts] == [5.0, 0.0]
    assert [part["voucherValue"] for part in parts] == [0.01, 0.02]
    assert {part["comment"] for part in parts} == {"ring twice"}
    assert {part["products"][0]["comment"] for part in parts} == {"wrap it"}
    assert {part["products"][0]["sku"] for part in parts} == {"P"}
    assert {part["warehouseGroup"] for part in parts} == {"Apart"}
    assert parts[0]["siblings"] == [parts[1]["orderId"]]


def test_completing_sends_what_is_there_and_what_is_missing_apart_by_availability(
    parameter_shop: Shop,
) -> None:
    pot, vase = new_item(parameter_shop, Main=1), new_item(parameter_shop, Main=1)
    number = prepared(parameter_shop, line(pot), line(vase), warehouseGroup="Later")
    parameter_shop.place({"quicker": order(line(pot))})

    ready, waiting = read_parts(parameter_shop, parameter_shop.complete(number))

    assert ready["orderId"] == number
    assert [(one["itemSku"], one["backOrdered"]) for one in ready["products"]] == [(vase, 0)]
    assert [(one["itemSku"], one["backOrdered"]) for one in waiting["products"]] == [(pot, 1)]


def test_all_that_may_be_said_when_completing_is_kept_on_every_part(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=1, Shop=1)
    number = prepared(parameter_shop, line(pot, 2), comment="as prepared", internalComment="stays")
    said = {
        "payment": {"id": 4, "auth": {"status": 1, "amount": "24.90"}},
        "buyerName": "Eva Ⅱ",
        "comment": "as completed",
        "poNumber": "PO-2",
        "orderDate": "2027-01-31",
        "deliveryDate": "2027-07-01 12:00:00",
        "cancelDate": "2027-12-31T23:30:00Z",
        "warehouseGroup": "Apart",
    }

    parts = read_parts(parameter_shop, parameter_shop.complete(number, **said))

    for part in parts:
        assert {name: part[name] for name in said if name != "payment"} == {
            **{name: said[name] for name in ("buyerName", "comment", "poNumber", "warehouseGroup")},
            "orderDate": "2027-01-31T00:00:00+01:00",
            "deliveryDate": "2027-07-01T12:00:00+02:00",
            "cancelDate": "2028-01-01T00:30:00+01:00",
        }
        assert part["internalComment"] == "stays"
    assert [part["payment"] is not None for part in parts] == [True, False]
    assert parts[0]["payment"]["auth"]["amount"] == 24.9


def test_null_leaves_what_was_prepared_as_it_was(parameter_shop: Shop) -> None:
    kept = {"comment": "c", "internalComment": "i", "poNumber": "p", "deliveryDate": "2027-01-31"}
    number = prepared(parameter_shop, **kept, buyerName="Bo", payment={"id": 4})
    before = only(parameter_shop, number)
    names = [*kept, "buyerName", "payment", "orderDate", "cancelDate", "warehouseGroup"]

    parameter_shop.complete(number, **dict.fromkeys(names))

    after = only(parameter_shop, number)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_a_completed_order_takes_further_payment_details_and_no_further_stock(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=5)
    number = prepared(parameter_shop, line(pot, 2))
    parameter_shop.complete(number, payment={"id": 4, "auth": {"status": 0, "amount": 24.9}})

    again = [
        parameter_shop.complete(
            number, payment={"id": 4, "auth": {"status": 1, "amount": 24.9, "transaction": "t"}}
        ),
        parameter_shop.complete(number, payment={"capture": {"status": 2, "amount": 24.9}}, poNumber="PO-3"),
    ]

    assert again == [{"status": "ok", "orders": [number]}] * 2
    found = only(parameter_shop, number)
    assert [(one["kind"], one["status"]) for one in found["payments"]] == [
        ("auth", 0),
        ("auth", 1),
        ("capture", 2),
    ]
    assert (found["payment"]["auth"]["transaction"], found["payment"]["capture"]["amount"]) == ("t", 24.9)
    assert found["poNumber"] == "PO-3"
    assert stock_of(parameter_shop, pot) == {"Main": (5, 2)}


def test_an_order_that_was_never_prepared_takes_payment_details_too(parameter_shop: Shop) -> None:
    [number] = parameter_shop.place({"a": order()})["a"]["orders"]

    assert parameter_shop.complete(number, payment={"id": 9}) == {"status": "ok", "orders": [number]}

    assert only(parameter_shop, number)["payment"]["id"] == 9


def test_the_same_completion_sent_again_is_answered_the_same(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=1, Shop=1)
    number = prepared(parameter_shop, line(pot, 2))

    first, again = (parameter_shop.complete(number, warehouseGroup="Apart") for _ in range(2))

    assert len(first["orders"]) == 2
    assert again == first
    assert parameter_shop.complete(first["orders"][1]) == first
    assert stock_of(parameter_shop, pot) == {"Main": (1, 1), "Shop": (1, 1)}


def test_another_warehouse_group_comes_too_late_for_a_completed_order(parameter_shop: Shop) -> None:
    number = prepared(parameter_shop)
    parameter_shop.complete(number)

    outcome = parameter_shop.complete(number, warehouseGroup="Shop alone", comment="not kept")

    assert (outcome["code"], outcome["errors"][0]["pointer"]) == (-7, "/warehouseGroup")
    assert "'Shop alone' comes too late" in outcome["msg"]
    assert only(parameter_shop, number)["comment"] is None


@pytest.mark.parametrize("number", ["999999", "9007199254740991", "9007199254740992", "9" * 40])
def test_an_unknown_number_is_no_with_a_message_that_names_it(parameter_shop: Shop, number: str) -> None:
    outcome = parameter_shop.settled(accepted(complete(parameter_shop, number)))

    assert (outcome["status"], outcome["code"]) == ("no", -7)
    assert outcome["msg"] == f"no order has number '{number}'"


def test_an_order_of_another_market_looks_like_an_unknown_one_and_stays_prepared(
    parameter_shop: Shop,
) -> None:
    number = prepared(parameter_shop)
    stranger = parameter_shop.key_for_markets("Stranger", 2)

    response = complete(parameter_shop, number, {"comment": "mine"}, **{"API-Authorization": stranger})
    [slice_id] = [one[0] for one in parameter_shop.api.open_slices()]
    settle_slice(parameter_shop.context, slice_id)

    outcome = told(parameter_shop.api.get(f"{accepted(response)}/results", stranger))
    assert outcome["msg"] == f"no order has number '{number}'"
    found = only(parameter_shop, number)
    assert (found["state"], found["comment"]) == ("prepared", None)


@pytest.mark.parametrize(
    ("sent", "code", "pointer", "named"),
    [
        ({"payment": 5}, -7, "/payment", "5"),
        ({"payment": {"auth": {"status": 3, "amount": 1}}}, -7, "/payment/auth/status", "3"),
        ({"payment": {"auth": {"status": 1, "amount": 14.115}}}, -7, "/payment/auth/amount", "14.115"),
        ({"payment": {"capture": {"amount": 1}}}, -4, "/payment/capture/status", "required"),
        ({"comment": "x" * 5_001}, -7, "/comment", "5001"),
        ({"internalComment": "a\0b"}, -7, "/internalComment", "U+0000"),
        ({"buyerName": 5}, -7, "/buyerName", "5"),
        ({"poNumber": "x" * 256}, -7, "/poNumber", "256"),
        ({"orderDate": "2026-02-30"}, -7, "/orderDate", "2026-02-30"),
        ({"deliveryDate": 5}, -7, "/deliveryDate", "5"),
        ({"cancelDate": "never"}, -7, "/cancelDate", "never"),
        ({"warehouseGroup": "Nowhere"}, -7, "/warehouseGroup", "Nowhere"),
        ({"warehouseGroup": " "}, -7, "/warehouseGroup", "empty"),
    ],
)
def test_a_bad_value_leaves_the_order_prepared_and_is_told_where_it_stands(
    parameter_shop: Shop, sent: dict[str, Any], code: int, pointer: str, named: str
) -> None:
    number = prepared(parameter_shop)

    outcome = parameter_shop.complete(number, **sent)

    assert (outcome["code"], outcome["errors"][0]["pointer"]) == (code, pointer)
    assert named in outcome["msg"]
    found = only(parameter_shop, number)
    assert (found["state"], found["payments"]) == ("prepared", [])


def test_other_parameters_are_ignored_or_refused_when_strictness_is_asked_for(parameter_shop: Shop) -> None:
    number = prepared(parameter_shop)
    sent = {"products": [line("RED-STOOL", 9)], "voucherValue": 5, "comment": "c"}

    strict = parameter_shop.settled(
        accepted(complete(parameter_shop, number, sent, Prefer="respond-async, handling=strict"))
    )
    assert strict["code"] == -7
    assert {error["pointer"] for error in strict["errors"]} == {"/products", "/voucherValue"}
    assert only(parameter_shop, number)["state"] == "prepared"

    lenient = parameter_shop.complete(number, **sent)

    found = only(parameter_shop, number)
    assert lenient["orders"] == [number]
    assert (found["comment"], found["voucherValue"]) == ("c", 0.0)
    assert [one["itemSku"] for one in found["products"]] == ["BRASS-LAMP"]


def test_untouched_stock_stays_untouched_and_forced_lines_stay_back_ordered(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=5)
    untouched = prepared(parameter_shop, line(pot, 2), adjustStock=False)
    forced = prepared(
        parameter_shop, line("OLD-CLOCK"), line("NO-LAMP", unitPrice=1), line(pot), forceCreate=True
    )

    parameter_shop.complete(untouched)
    parameter_shop.complete(forced)

    assert only(parameter_shop, untouched)["products"][0]["warehouses"] == []
    assert [(one["itemSku"], one["backOrdered"]) for one in only(parameter_shop, forced)["products"]] == [
        ("OLD-CLOCK", 1),
        ("NO-LAMP", 1),
        (pot, 0),
    ]
    assert stock_of(parameter_shop, pot) == {"Main": (5, 1)}


def test_a_slice_that_is_delivered_again_completes_once(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=5)
    number = prepared(parameter_shop, line(pot, 2))
    job = accepted(complete(parameter_shop, number, {"payment": {"id": 4}}))
    [slice_id] = [one[0] for one in parameter_shop.api.open_slices(job.rpartition("/")[2])]

    reports = [settle_slice(parameter_shop.context, slice_id) for _ in range(3)]

    assert [report is not None for report in reports] == [True, False, False]
    assert stock_of(parameter_shop, pot) == {"Main": (5, 2)}
    assert len(only(parameter_shop, number)["payments"]) == 1


def test_a_completion_that_cannot_be_stored_is_rejected_and_leaves_the_order_prepared(
    parameter_shop: Shop,
) -> None:
    pot = new_item(parameter_shop, Main=5)
    number = prepared(parameter_shop, line(pot, 2))
    with parameter_shop.api.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '22000'; END $$;"
                "CREATE TRIGGER refuse BEFORE INSERT ON allocations FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )

    refused = parameter_shop.complete(number)
    with parameter_shop.api.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER refuse ON allocations"))

    assert (refused["status"], refused["code"]) == ("no", -7)
    assert refused["msg"].startswith("the order could not be stored; tell us the request id ")
    assert (only(parameter_shop, number)["state"], stock_of(parameter_shop, pot)) == (
        "prepared",
        {"Main": (5, 0)},
    )
    assert parameter_shop.complete(number) == {"status": "ok", "orders": [number]}
    assert stock_of(parameter_shop, pot) == {"Main": (5, 2)}


def test_racing_completions_of_one_order_are_all_answered_and_take_its_stock_once(
    parameter_shop: Shop,
) -> None:
    pot = new_item(parameter_shop, Main=3, Shop=3)
    number = prepared(parameter_shop, line(pot, 5))
    jobs = [accepted(complete(parameter_shop, number, {"warehouseGroup": "Apart"})) for _ in range(6)]

    outcomes = settle_at_once(parameter_shop, jobs)

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert (len(outcomes[0]["orders"]), outcomes[0]["orders"][0]) == (2, number)
    assert stock_of(parameter_shop, pot) == {"Main": (3, 3), "Shop": (3, 2)}


def test_completions_and_orders_that_race_for_the_last_units_never_oversell(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=5)
    waiting = [prepared(parameter_shop, line(pot)) for _ in range(5)]
    jobs = [accepted(complete(parameter_shop, number)) for number in waiting]
    jobs += [
        accepted(parameter_shop.api.post({"a": order(line(pot))}, Prefer="respond-async")) for _ in range(5)
    ]

    outcomes = settle_at_once(parameter_shop, jobs)

    completed, ordered = outcomes[:5], [outcome["a"] for outcome in outcomes[5:]]
    lines = [part["products"][0] for outcome in completed for part in read_parts(parameter_shop, outcome)]
    shipped = sum(one["backOrdered"] == 0 for one in lines)
    created = sum(outcome["status"] == "ok" for outcome in ordered)
    assert len(lines) == 5
    assert shipped + created == 5
    assert {outcome["code"] for outcome in ordered if outcome["status"] == "no"} <= {-2}
    assert stock_of(parameter_shop, pot) == {"Main": (5, 5)}


def test_a_number_that_is_drawn_for_a_part_steps_around_explicit_ones(parameter_shop: Shop) -> None:
    pot = new_item(parameter_shop, Main=1, Shop=1)
    number = prepared(parameter_shop, line(pot, 2), warehouseGroup="Apart")
    parameter_shop.place({"explicit": order(orderNumber=number + 1)})

    numbers = numbers_of(parameter_shop.complete(number))

    assert numbers == [number, number + 2]
