"""POST /v1/completions: many orders completed at once, by the engine that creates them (contract §9)."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared import persistence
from tests.support.catalog_files import load
from tests.support.orders import line, order
from tests.support.parameter_shop import accepted, read_parts, settle_at_once, stock_of
from tests.support.placed_orders import told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop

ITEMS = count(1)
NOTICE = {"id": 4, "capture": {"status": 1, "amount": "14.90", "transaction": "T-77"}}


@pytest.fixture
def shop(parameter_shop: Shop) -> Shop:
    return parameter_shop


def new_item(shop: Shop, **stock: int) -> str:
    """Put an item into the catalog that no other test takes from."""
    sku = f"GLASS-JAR-{next(ITEMS)}"
    load(shop.api.engine, {"items": [{"sku": sku, "prices": {"EUR": "10"}, "stock": stock}]})
    return sku


def prepared(shop: Shop, *orders: dict[str, Any]) -> list[int]:
    """Prepare these orders, or one lamp."""
    batch = {f"k{at}": {**one, "createOnly": True} for at, one in enumerate(orders or [order()])}
    return [int(outcome["order"]) for outcome in shop.place(batch).values()]


def send(shop: Shop, batch: Any, query: str = "", **headers: str) -> TestResponse:
    """Ask for completions without settling them."""
    sent = {"API-Authorization": shop.api.key, "Content-Type": "application/json", "Prefer": "respond-async"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = batch if isinstance(batch, bytes) else orjson.dumps(batch)
    return shop.api.client.post(f"/v1/completions{query}", data=body, headers=sent)


def complete(shop: Shop, batch: Any, query: str = "", key: str = "") -> dict[str, Any]:
    """Complete orders; give the keyed outcomes."""
    headers = {"API_Authorization": key} if key else {}
    return shop.settled(accepted(send(shop, batch, query, **headers)), key)


def payments(shop: Shop, *numbers: int) -> list[Any]:
    """The payments of these orders: order, kind, status, transaction."""
    return [
        tuple(row)
        for row in shop.api.rows(
            "SELECT order_number, kind, status, transaction FROM payments"
            " WHERE order_number = ANY(:numbers) ORDER BY id",
            numbers=list(numbers),
        )
    ]


def test_a_batch_of_completions_is_answered_under_its_keys(shop: Shop) -> None:
    jar = new_item(shop, Main=3, Shop=3)
    one, split, short = prepared(
        shop, order(line(jar)), order(line(jar, 4), warehouseGroup="Apart"), order(line(jar, 6))
    )

    outcomes = complete(shop, {"b": {"order": split}, "": {"order": str(one)}, "c": {"order": short}})

    assert list(outcomes) == ["b", "", "c"]
    assert outcomes[""] == {"status": "ok", "orders": [one]}
    assert outcomes["c"] == {"status": "ok", "orders": [short]}
    parts = read_parts(shop, outcomes["b"])
    assert [part["products"][0]["warehouses"] for part in parts] == [
        [{"name": "Main", "itemQty": 3}],
        [{"name": "Shop", "itemQty": 1}],
    ]
    assert [part["state"] for part in parts] == ["created", "created"]
    [waiting] = shop.orders(f"?order={short}")
    assert waiting["products"][0]["backOrdered"] == 6
    assert stock_of(shop, jar) == {"Main": (3, 3), "Shop": (3, 2)}


def test_a_batch_of_completions_is_a_job_of_its_kind(shop: Shop) -> None:
    [number] = prepared(shop)

    response = send(shop, {"a": {"order": number}, "b": {"order": 999_999}})

    assert response.status_code == 202
    job = told(response)
    assert (job["kind"], job["total"]) == ("completions", 2)
    shop.settled(job["links"]["self"])
    listed = told(shop.api.get("/v1/jobs?kind=completions&limit=1"))["jobs"]
    assert [(one["id"], one["state"]) for one in listed] == [(job["id"], "partially_succeeded")]


def test_two_completions_of_one_order_in_a_batch_are_both_decided_in_order(shop: Shop) -> None:
    jar = new_item(shop, Main=1, Shop=1)
    [number] = prepared(shop, order(line(jar, 2)))
    batch = {
        "first": {"order": number, "warehouseGroup": "Apart", "comment": "one", "poNumber": "P"},
        "late": {"order": number, "warehouseGroup": "Shop alone"},
        "second": {"order": number, "comment": "two"},
    }

    outcomes = complete(shop, batch)
    again = complete(shop, batch)

    assert len(outcomes["first"]["orders"]) == 2
    assert outcomes["second"] == outcomes["first"]
    assert outcomes["late"]["errors"][0]["reason"] == "already_completed"
    assert again == outcomes
    assert {(part["comment"], part["poNumber"]) for part in read_parts(shop, outcomes["first"])} == {
        ("two", "P")
    }
    assert stock_of(shop, jar) == {"Main": (1, 1), "Shop": (1, 1)}


def test_completions_share_scarce_stock_in_the_order_that_was_sent(shop: Shop) -> None:
    jar = new_item(shop, Main=2)
    numbers = prepared(shop, *(order(line(jar)) for _ in range(4)))

    complete(
        shop, {str(at): {"order": number} for at, number in enumerate(reversed(numbers))}, "?ordered=true"
    )

    waiting = [shop.orders(f"?order={number}")[0]["products"][0]["backOrdered"] for number in numbers]
    assert waiting == [1, 1, 0, 0]
    assert stock_of(shop, jar) == {"Main": (2, 2)}


def test_an_atomic_batch_completes_all_orders_or_none(shop: Shop) -> None:
    jar = new_item(shop, Main=5)
    first, second = prepared(shop, order(line(jar)), order(line(jar)))
    batch = {"a": {"order": first, "payment": NOTICE}, "bad": {"order": 999_999}, "c": {"order": second}}

    none = complete(shop, batch, "?atomic=true")
    left = [shop.orders(f"?order={number}&state=prepared") for number in (first, second)]
    everything = complete(shop, {key: batch[key] for key in "ac"}, "?atomic=true")

    assert [outcome["errors"][0]["reason"] for outcome in none.values()] == [
        "batch_rejected",
        "order_unknown",
        "batch_rejected",
    ]
    assert [one["state"] for [one] in left] == ["prepared", "prepared"]
    assert [outcome["orders"] for outcome in everything.values()] == [[first], [second]]
    assert payments(shop, first) == [(first, "capture", 1, "T-77")]
    assert stock_of(shop, jar) == {"Main": (5, 2)}


@pytest.mark.parametrize("option", ["uniqueKeys", "validateOnly"])
def test_what_only_orders_can_be_asked_is_refused_by_name(shop: Shop, option: str) -> None:
    response = send(shop, {}, f"?{option}=true")

    assert response.status_code == 400
    assert told(response)["msg"].startswith(f"{option}: is no parameter of POST /v1/completions")


def test_whoever_may_write_orders_of_the_market_completes_them_with_whatever_key(shop: Shop) -> None:
    [number] = prepared(shop)
    stranger = shop.api.new_key("Whoever", "orders:write")

    outcomes = complete(shop, {"a": {"order": number}}, key=stranger)

    assert outcomes == {"a": {"status": "ok", "orders": [number]}}


def test_an_order_of_another_market_is_told_byte_for_byte_as_one_that_is_not_there(shop: Shop) -> None:
    [theirs] = prepared(shop)
    elsewhere = shop.key_for_markets("From elsewhere", 2)

    outcomes = complete(shop, {"a": {"order": theirs}, "b": {"order": 999_999}}, key=elsewhere)

    told_of_theirs, told_of_none = (orjson.dumps(outcomes[key]) for key in "ab")
    assert told_of_theirs.replace(b"%d" % theirs, b"999999") == told_of_none
    assert outcomes["a"]["errors"] == [
        {
            "pointer": "/order",
            "reason": "order_unknown",
            "msg": f"no order has number {theirs}",
            "params": {},
        }
    ]
    assert shop.orders(f"?order={theirs}")[0]["state"] == "prepared"


@pytest.mark.parametrize(
    ("sent", "code", "pointer"),
    [
        ({}, -4, "/order"),
        ({"order": None}, -4, "/order"),
        ({"order": ""}, -4, "/order"),
        ({"order": 0}, -7, "/order"),
        ({"order": -1}, -7, "/order"),
        ({"order": 1.5}, -7, "/order"),
        ({"order": "x"}, -7, "/order"),
        ({"order": True}, -7, "/order"),
        ({"order": [1]}, -7, "/order"),
        ({"order": 9_007_199_254_740_992}, -7, "/order"),
        ([], -7, ""),
        ("7", -7, ""),
        (None, -7, ""),
        ({"order": 999_999, "poNumber": 5}, -7, "/order"),
    ],
    ids=str,
)
def test_a_completion_that_names_no_order_is_told_where_and_costs_only_itself(
    shop: Shop, sent: Any, code: int, pointer: str
) -> None:
    [number] = prepared(shop)

    outcomes = complete(shop, {"bad": sent, "good": {"order": number}})

    assert (outcomes["bad"]["code"], outcomes["bad"]["errors"][0]["pointer"]) == (code, pointer)
    assert outcomes["good"]["status"] == "ok"


def test_unknown_members_are_told_of_a_completion_that_is_rejected_too(shop: Shop) -> None:
    outcomes = complete(shop, {"a": {"order": 999_999, "products": []}, "b": {"orderId": 5}})

    assert [outcomes[key]["ignored"] for key in "ab"] == [["/products"], ["/orderId"]]


def test_a_poisonous_completion_costs_only_itself(shop: Shop) -> None:
    jar = new_item(shop, Main=9)
    good, bad, also_good = prepared(shop, *(order(line(jar, n)) for n in (1, 7, 1)))
    with shop.api.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION refuse_seven() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF NEW.quantity = 7 THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '22000';"
                " END IF; RETURN NEW; END $$;"
                "CREATE TRIGGER refuse BEFORE INSERT ON allocations"
                " FOR EACH ROW EXECUTE FUNCTION refuse_seven()"
            )
        )

    job = send(shop, {str(n): {"order": n, "comment": "c"} for n in (good, bad, also_good)}).headers[
        "Location"
    ]
    outcomes = shop.settled(job)
    with shop.api.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER refuse ON allocations; DROP FUNCTION refuse_seven()"))

    assert [outcomes[str(n)]["status"] for n in (good, bad, also_good)] == ["ok", "no", "ok"]
    [left] = shop.orders(f"?order={bad}")
    assert (left["state"], left["comment"]) == ("prepared", None)
    assert stock_of(shop, jar) == {"Main": (9, 2)}


def test_rejected_completions_are_retried_as_completions(shop: Shop) -> None:
    jar, [number] = new_item(shop, Main=1), prepared(shop)
    batch = {"a": {"order": number, "warehouseGroup": "Nowhere"}, "b": {"order": number}}
    job = send(shop, batch).headers["Location"]
    shop.settled(job)
    corrected = {"orders": {"a": {"order": number, "comment": f"with {jar}"}}}

    response = shop.api.client.post(
        f"{job}/retry",
        data=orjson.dumps(corrected),
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )

    retry = told(response)
    assert (retry["kind"], retry["total"]) == ("completions", 1)
    assert shop.settled(retry["links"]["self"]) == {"a": {"status": "ok", "orders": [number]}}
    assert shop.orders(f"?order={number}")[0]["comment"] == f"with {jar}"


def test_the_same_batch_again_under_its_idempotency_key_is_the_same_job_and_another_kind_is_not(
    shop: Shop,
) -> None:
    [number] = prepared(shop)
    batch = {"a": {"order": number}}

    first, again = (send(shop, batch, Idempotency_Key="complete-1") for _ in range(2))
    as_orders = shop.api.post(batch, Idempotency_Key="complete-1", Prefer="respond-async")

    assert again.headers["Location"] == first.headers["Location"]
    assert as_orders.status_code == 422
    shop.settled(first.headers["Location"])


def test_three_identical_payment_notices_are_one_capture(shop: Shop) -> None:
    [number] = prepared(shop)
    shop.complete(number, payment=NOTICE)

    complete(shop, {key: {"order": number, "payment": NOTICE} for key in "ab"})

    assert payments(shop, number) == [(number, "capture", 1, "T-77")]


def test_a_transaction_of_the_same_kind_replaces_what_was_said_of_it_and_keeps_its_place(shop: Shop) -> None:
    [number] = prepared(shop)

    def say(kind: str, transaction: str | None, status: int) -> dict[str, Any]:
        return {
            "payment": {kind: {"status": status, "amount": 1, "transaction": transaction}},
            "order": number,
        }

    complete(
        shop,
        {
            "1": say("auth", "T", 0),
            "2": say("capture", "T", 0),
            "3": say("auth", "U", 0),
            "4": say("auth", "T", 2),
            "5": say("auth", None, 0),
            "6": say("auth", None, 0),
        },
        "?ordered=true",
    )
    complete(shop, {"7": say("capture", "T", 1)})

    assert payments(shop, number) == [
        (number, "auth", 2, "T"),
        (number, "capture", 1, "T"),
        (number, "auth", 0, "U"),
        (number, "auth", 0, None),
        (number, "auth", 0, None),
    ]


def test_payments_stand_on_the_first_part_whichever_number_they_are_sent_to(shop: Shop) -> None:
    jar = new_item(shop, Main=1, Shop=1)
    [number] = prepared(shop, order(line(jar, 2), warehouseGroup="Apart"))
    first, second = complete(shop, {"a": {"order": number}})["a"]["orders"]

    outcomes = complete(shop, {"a": {"order": second, "payment": NOTICE}})
    shop.complete(second, payment=NOTICE)

    assert outcomes["a"]["orders"] == [first, second]
    assert payments(shop, first, second) == [(first, "capture", 1, "T-77")]


def test_no_transaction_of_a_payment_can_be_recorded_twice(shop: Shop) -> None:
    [number] = prepared(shop)
    twice = text(
        "INSERT INTO payments (order_number, kind, status, amount, transaction)"
        " SELECT :number, 'capture', 1, 5, 'T' FROM generate_series(1, 2)"
    )

    with shop.api.engine.connect() as connection, pytest.raises(IntegrityError, match="one_per_transaction"):
        connection.execute(twice, {"number": number})


def test_prices_and_all_else_stay_as_they_were_prepared(shop: Shop) -> None:
    jar = new_item(shop, Main=5)
    [number] = prepared(shop, order(line(jar, 2), shippingValue="3.00", voucherValue="1.00"))
    [before] = shop.orders(f"?order={number}")
    load(shop.api.engine, {"items": [{"sku": jar, "prices": {"EUR": "99"}}]})

    complete(shop, {"a": {"order": number}})

    [after] = shop.orders(f"?order={number}")
    same = ("grandTotalValue", "totalItemsPrice", "shippingValue", "voucherValue", "orderDate")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (before["state"], after["state"]) == ("prepared", "created")


def test_racing_batches_that_name_the_same_orders_in_other_orders_complete_each_once(shop: Shop) -> None:
    jar = new_item(shop, Main=30, Shop=30)
    numbers = prepared(shop, *(order(line(jar, 5), warehouseGroup="Apart") for _ in range(8)))
    batches = [numbers, numbers[::-1], numbers[4:] + numbers[:4], numbers[::2] + numbers[1::2]]
    jobs = [accepted(send(shop, {str(at): {"order": n} for at, n in enumerate(batch)})) for batch in batches]

    outcomes = settle_at_once(shop, jobs)

    of_order = [
        {n: tuple(told_of[str(at)]["orders"]) for at, n in enumerate(batch)}
        for batch, told_of in zip(batches, outcomes, strict=True)
    ]
    assert all(one == of_order[0] for one in of_order)
    assert sum(reserved for _, reserved in stock_of(shop, jar).values()) == 40


def test_payments_that_were_recorded_before_become_the_last_of_each_transaction_on_the_first_part(
    shop: Shop,
) -> None:
    jar = new_item(shop, Main=1, Shop=1)
    [number] = prepared(shop, order(line(jar, 2), warehouseGroup="Apart"))
    first, second = complete(shop, {"a": {"order": number}})["a"]["orders"]
    script = (
        ScriptDirectory(str(Path(persistence.__file__).parent / "migrations")).get_revision("0031").module
    )
    recorded = [
        (first, "auth", 0, "T"),
        (first, "capture", 0, "T"),
        (second, "auth", 1, "T"),
        (first, "auth", 0, None),
        (first, "auth", 0, None),
        (second, "auth", 0, "U"),
    ]

    with shop.api.engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            script.downgrade()
            for row in recorded:
                connection.execute(
                    text(
                        "INSERT INTO payments (order_number, kind, status, amount, transaction)"
                        " VALUES (:number, :kind, :status, 1, :transaction)"
                    ),
                    dict(zip(("number", "kind", "status", "transaction"), row, strict=True)),
                )
            script.upgrade()
        left = connection.execute(
            text(
                "SELECT order_number, kind, status, transaction FROM payments"
                " WHERE order_number = ANY(:numbers) ORDER BY id"
            ),
            {"numbers": [first, second]},
        )
        assert list(map(tuple, left)) == [
            (first, "capture", 0, "T"),
            (first, "auth", 1, "T"),
            (first, "auth", 0, None),
            (first, "auth", 0, None),
            (first, "auth", 0, "U"),
        ]
        connection.rollback()
