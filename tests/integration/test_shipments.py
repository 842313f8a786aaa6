"""Shipments and cancellations over HTTP, by the engine that creates orders (contract §9)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from tests.support.catalog_files import load
from tests.support.orders import line, order
from tests.support.parameter_shop import stock_of
from tests.support.placed_orders import told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.placed_orders import Shop

ITEMS = count(1)


def new_item(shop: Shop, **stock: int) -> str:
    """Put an item into the catalog that no other test takes from."""
    sku = f"IRON-PAN-{next(ITEMS)}"
    load(shop.api.engine, {"items": [{"sku": sku, "prices": {"EUR": "10"}, "stock": stock}]})
    return sku


def send(shop: Shop, path: str, body: Any, key: str = "", **headers: str) -> TestResponse:
    """Send to a path without settling it."""
    sent = {"API-Authorization": key or shop.api.key, "Content-Type": "application/json"}
    sent |= {"Prefer": "respond-async"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.api.client.post(path, data=orjson.dumps(body), headers=sent)


def step(shop: Shop, path: str, body: Any, key: str = "", **headers: str) -> dict[str, Any]:
    """Send to a path, settle it, and give what came of it."""
    response = send(shop, path, body, key, **headers)
    assert response.status_code == 202, response.data
    return shop.settled(response.headers["Location"], key)


def placed(shop: Shop, *orders: dict[str, Any]) -> list[int]:
    outcomes = shop.place({f"k{at}": one for at, one in enumerate(orders)})
    return [one["orders"][0] if "orders" in one else one["order"] for one in outcomes.values()]


def reasons(outcomes: dict[str, Any]) -> dict[str, tuple[int, str, str]]:
    return {
        key: (one["code"], one["errors"][0]["reason"], one["errors"][0]["pointer"])
        for key, one in outcomes.items()
    }


def test_a_batch_of_shipments_is_a_job_of_its_kind_with_an_outcome_under_each_key(shop: Shop) -> None:
    pan = new_item(shop, Main=5)
    first, second = placed(shop, order(line(pan, 2)), order(line(pan)))

    response = send(shop, "/v1/shipments", {"a": {"order": first}, "b": {"order": second}, "c": {"order": 1}})
    outcomes = shop.settled(response.headers["Location"])

    assert told(shop.api.get(response.headers["Location"]))["kind"] == "shipments"
    assert [outcomes[key]["status"] for key in "abc"] == ["ok", "ok", "no"]
    assert outcomes["a"].keys() == {"status", "shipment"}
    assert outcomes["a"]["shipment"] != outcomes["b"]["shipment"]
    assert stock_of(shop, pan) == {"Main": (2, 0)}
    assert [one["state"] for one in shop.orders(f"?order={first}")] == ["shipped"]


def test_one_order_ships_and_is_cancelled_by_its_number_in_the_path(shop: Shop) -> None:
    pan = new_item(shop, Main=5)
    ships, goes_back = placed(shop, order(line(pan, 2)), order(line(pan, 2)))

    shipped = step(shop, f"/v1/order/{ships}/shipments", {"reference": "parcel", "shipped": "2027-01-31"})
    again = step(shop, f"/v1/order/{ships}/shipments", {"reference": "parcel"})
    cancelled = [step(shop, f"/v1/order/{goes_back}/cancel", {"reason": "too late"}) for _ in range(2)]

    assert shipped == again
    assert shipped.keys() == {"status", "shipment"}
    [found] = shop.orders(f"?order={ships}")
    line_id = found["products"][0]["lineId"]
    assert (found["state"], found["products"][0]["shipped"]) == ("shipped", 2)
    assert found["shipments"] == [
        {
            "shipment": shipped["shipment"],
            "shipped": "2027-01-31T00:00:00+00:00",
            "carrier": None,
            "service": None,
            "tracking": None,
            "reference": "parcel",
            "products": {str(line_id): 2},
        }
    ]
    assert cancelled == [{"status": "ok", "orders": [goes_back]}] * 2
    assert stock_of(shop, pan) == {"Main": (3, 0)}


def test_what_cannot_be_shipped_says_why_where_and_what_remains(shop: Shop) -> None:
    pan = new_item(shop, Main=2)
    number, waits, prepared, gone = placed(
        shop,
        order(line(pan, 2)),
        order(line(pan, 3), forceCreate=True),
        order(createOnly=True),
        order(),
    )
    [found] = shop.orders(f"?order={number}")
    pans = found["products"][0]["lineId"]
    step(shop, f"/v1/order/{number}/shipments", {"products": {str(pans): 1}})
    step(shop, f"/v1/order/{gone}/cancel", {})

    outcomes = step(
        shop,
        "/v1/shipments",
        {
            "more than remains": {"order": number, "products": {str(pans): 2}},
            "none": {"order": number, "products": {str(pans): 0}},
            "less than none": {"order": number, "products": {str(pans): -1}},
            "not the order's": {"order": waits, "products": {str(pans): 1}},
            "no line": {"order": number, "products": {"lamp": 1}},
            "nothing": {"order": number, "products": []},
            "a list": {"order": number, "products": [{"lineId": pans}]},
            "waits": {"order": waits},
            "prepared": {"order": prepared},
            "cancelled": {"order": gone},
            "no such order": {"order": 999_999_999},
            "no order": {"carrier": "Post"},
            "an order of letters": {"order": "x"},
            "no object": 5,
            "no date": {"order": number, "shipped": "yesterday"},
        },
    )

    assert reasons(outcomes) == {
        "more than remains": (-2, "more_than_remains", f"/products/{pans}"),
        "none": (-7, "out_of_range", f"/products/{pans}"),
        "less than none": (-7, "out_of_range", f"/products/{pans}"),
        "not the order's": (-7, "line_unknown", f"/products/{pans}"),
        "no line": (-7, "not_whole", "/products/lamp"),
        "nothing": (-3, "shipment_empty", "/products"),
        "a list": (-7, "not_object", "/products"),
        "waits": (-2, "back_ordered", ""),
        "prepared": (-7, "order_prepared", ""),
        "cancelled": (-7, "order_cancelled", ""),
        "no such order": (-7, "order_unknown", "/order"),
        "no order": (-4, "field_missing", "/order"),
        "an order of letters": (-7, "not_whole", "/order"),
        "no object": (-7, "not_object", ""),
        "no date": (-7, "not_date", "/shipped"),
    }
    assert outcomes["more than remains"]["errors"][0]["params"] == {"lineId": pans, "wanted": 2, "remains": 1}
    assert outcomes["waits"]["errors"][0]["params"]["backOrdered"] == 3
    assert stock_of(shop, pan) == {"Main": (1, 1)}


def test_what_cannot_be_cancelled_says_why(shop: Shop) -> None:
    pan = new_item(shop, Main=2)
    (number,) = placed(shop, order(line(pan, 2)))
    [found] = shop.orders(f"?order={number}")
    pans = str(found["products"][0]["lineId"])
    step(shop, f"/v1/order/{number}/shipments", {"products": {pans: 1}})

    outcomes = step(
        shop,
        "/v1/cancellations",
        {
            "ships": {"order": number},
            "no such order": {"order": 999_999_999},
            "no order": {},
            "a reason of numbers": {"order": number, "reason": 5},
        },
    )

    assert reasons(outcomes) == {
        "ships": (-7, "already_shipped", ""),
        "no such order": (-7, "order_unknown", "/order"),
        "no order": (-4, "field_missing", "/order"),
        "a reason of numbers": (-7, "not_text", "/reason"),
    }
    assert outcomes["ships"]["errors"][0]["params"] == {"shipped": {pans: 1}}


def test_a_cancelled_order_is_not_completed_or_added_to(shop: Shop) -> None:
    prepared, created = placed(shop, order(createOnly=True), order())
    for number in (prepared, created):
        step(shop, f"/v1/order/{number}/cancel", {})

    outcomes = [shop.complete(number, comment="too late") for number in (prepared, created)]

    assert [(one["code"], one["errors"][0]["reason"]) for one in outcomes] == [(-7, "order_cancelled")] * 2
    assert [one["state"] for one in shop.orders(f"?order={prepared}")] in ([], ["cancelled"])


def test_an_order_of_another_market_looks_like_an_unknown_one(shop: Shop) -> None:
    pan = new_item(shop, Main=2)
    (number,) = placed(shop, order(line(pan, 2)))
    american = shop.key_for_markets(f"American {pan}", 2)

    for what in ("shipments", "cancel"):
        outcome = step(shop, f"/v1/order/{number}/{what}", {}, american)
        unknown = step(shop, f"/v1/order/999999998/{what}", {}, american)
        assert (outcome["code"], outcome["msg"]) == (-7, f"no order has number '{number}'")
        assert outcome["errors"][0]["reason"] == unknown["errors"][0]["reason"]

    assert stock_of(shop, pan) == {"Main": (2, 2)}


def test_unknown_members_are_ignored_and_told_or_errors_where_that_is_asked_for(shop: Shop) -> None:
    (number, other) = placed(shop, order(), order())
    odd = {"a": {"order": number, "colour": "red"}}

    strict = step(shop, "/v1/shipments", odd, Prefer="respond-async, handling=strict")
    ignored = step(shop, "/v1/shipments", odd)
    cancelled = step(shop, f"/v1/order/{other}/cancel", {"why": "?"})

    assert reasons(strict) == {"a": (-7, "unknown_field", "/colour")}
    assert (ignored["a"]["ignored"], cancelled["ignored"]) == (["/colour"], ["/why"])


def test_the_same_shipments_under_one_idempotency_key_leave_once(shop: Shop) -> None:
    pan = new_item(shop, Main=5)
    (number,) = placed(shop, order(line(pan, 4)))
    [found] = shop.orders(f"?order={number}")
    batch = {"a": {"order": number, "products": {str(found["products"][0]["lineId"]): 1}}}

    responses = [send(shop, "/v1/shipments", batch, Idempotency_Key=f"parcels of {pan}") for _ in range(3)]
    shop.settled(responses[0].headers["Location"])

    assert len({response.headers["Location"] for response in responses}) == 1
    assert stock_of(shop, pan) == {"Main": (4, 3)}


def test_the_same_key_for_shipments_and_cancellations_is_refused(shop: Shop) -> None:
    (number,) = placed(shop, order())
    batch = {"a": {"order": number}}

    first = send(shop, "/v1/shipments", batch, Idempotency_Key=f"steps of {number}")
    second = send(shop, "/v1/cancellations", batch, Idempotency_Key=f"steps of {number}")

    assert (first.status_code, second.status_code) == (202, 422)
    shop.settled(first.headers["Location"])


def test_rejected_shipments_are_tried_again_as_a_job_of_their_kind(shop: Shop) -> None:
    pan = new_item(shop, Main=0)
    (number,) = placed(shop, order(line(pan, 2), forceCreate=True))
    first = send(shop, "/v1/shipments", {"a": {"order": number}})
    assert reasons(shop.settled(first.headers["Location"])) == {"a": (-2, "back_ordered", "")}
    load(shop.api.engine, {"items": [{"sku": pan, "stock": {"Main": 2}}]})

    again = send(shop, f"{first.headers['Location']}/retry", {})

    assert shop.settled(again.headers["Location"])["a"]["status"] == "ok"
    assert told(shop.api.get(again.headers["Location"]))["kind"] == "shipments"
    assert stock_of(shop, pan) == {"Main": (0, 0)}


def test_shipments_of_a_batch_leave_all_or_none_where_that_is_asked_for(shop: Shop) -> None:
    pan = new_item(shop, Main=5)
    ships, gone = placed(shop, *(order(line(pan)) for _ in range(2)))
    step(shop, f"/v1/order/{gone}/cancel", {})

    outcomes = step(shop, "/v1/shipments?atomic=true", {"a": {"order": ships}, "b": {"order": gone}})

    assert reasons(outcomes) == {"a": (-7, "batch_rejected", ""), "b": (-7, "order_cancelled", "")}
    assert stock_of(shop, pan) == {"Main": (5, 1)}
