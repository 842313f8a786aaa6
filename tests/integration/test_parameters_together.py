"""Contract §6 where parameters meet: the seed's example in full, and what shows in several orders only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.orders import line, order
from tests.support.parameter_shop import placed

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

SEEDS_EXAMPLE = json.loads((Path(__file__).parents[2] / "cli" / "samples" / "orders.json").read_bytes())[
    "x123"
]
AUTH = {
    "status": 1,
    "amount": 38.17,
    "response": '{"approved": true}',
    "transaction": "T-1001",
    "method": "card",
    "external_url": "https://pay.example/T-1001",
}


def test_the_seeds_example_with_payment_vouchers_and_localised_size_is_read_back_field_by_field(
    parameter_shop: Shop,
) -> None:
    size = {"localizedSize": "9½", "localizationDefinitionName": "US men's"}
    sent = {
        **SEEDS_EXAMPLE,
        "voucherCodes": ["TEN"],
        "voucherValue": "2.13",
        "payment": {"id": 4, "auth": AUTH, "capture": {"status": 2, "amount": "41.67"}},
    }
    sent["products"][0]["itemText"]["localizedProdSize"] = size

    found = placed(parameter_shop, sent)

    billing, delivery = sent["invoiceAddress"], sent["deliveryAddress"]
    for prefix, address in (("billing", billing), ("delivery", delivery)):
        for name, value in address.items():
            assert found[prefix + name[0].upper() + name[1:]] == value
    assert (found["billingName"], found["deliveryState"]) == ("John Smith", "CA")
    assert (found["market"], found["pricelist"], found["orderCurrency"]) == ("America", "USD", "USD")
    special, plain = found["products"]
    assert special["itemText"] == {
        "sku": "SPECIAL-SKU-FOR-THIS-ONE",
        "product": "A special product",
        "variant": "",
        "localizedProdSize": size,
    }
    assert (special["sku"], special["name"], special["variant"]) == (
        "SPECIAL-SKU-FOR-THIS-ONE",
        "A special product",
        "",
    )
    assert (special["ean"], special["brand"], special["size"]) == ("ABCDEFGHIJKL", "Kronan", "M")
    assert (special["qty"], special["price"], special["originalPrice"]) == (2, 14.11, 100.11)
    assert (plain["sku"], plain["name"], plain["variant"], plain["size"]) == (
        "SKUASKUBSKUC",
        "Bike",
        "Red",
        "S",
    )
    assert (plain["qty"], plain["price"], plain["originalPrice"]) == (1, 12.11, 50.22)
    assert (special["priceDiscount"], plain["priceDiscount"]) == (86.0, 38.11)
    money = ("totalItemsPrice", "shippingValue", "voucherValue", "grandTotalValue")
    assert [found[name] for name in money] == [40.33, 7.5, 6.16, 41.67]
    assert found["vouchers"] == [{"code": "TEN", "name": "Ten percent", "value": 4.03}]
    assert found["shippingList"] == "ground"
    assert found["payment"]["id"] == 4
    assert found["payment"]["auth"] == AUTH
    capture = found["payment"]["capture"]
    assert (capture["status"], capture["amount"], capture["transaction"]) == (2, 41.67, None)


def test_orders_that_register_are_of_one_customer_however_the_email_is_capitalised(
    parameter_shop: Shop,
) -> None:
    def of(email: str, **rest: Any) -> int:
        found = placed(parameter_shop, order(address={"country": "SE", "email": email}, **rest))
        return int(found["customerId"])

    registered = of("Åsa@Example.com", customerRegister=True)

    assert of("åsa@EXAMPLE.com", customerRegister=True) == registered
    assert of("Åsa@Example.com") not in {registered, of("Åsa@Example.com")}
    assert of("other@example.com", customerRegister=True) != registered
    assert of("other@example.com", customerId=registered) == registered


def test_a_new_password_is_asked_for_of_that_customer_alone_and_stays_asked_for(parameter_shop: Shop) -> None:
    address = {"country": "SE", "email": "reset@example.com"}
    first = placed(parameter_shop, order(address=address, customerRegister=True, customerSetNewPassword=True))
    again = placed(parameter_shop, order(address=address, customerRegister=True))
    guest = placed(parameter_shop, order(address=address))

    assert (first["customerSetNewPassword"], again["customerSetNewPassword"]) == (True, True)
    assert guest["customerSetNewPassword"] is False


def test_automatic_numbers_step_around_explicit_ones_however_they_are_written(parameter_shop: Shop) -> None:
    [last] = parameter_shop.place({"a": order()})["a"]["orders"]
    explicit = {"b": order(orderNumber=str(last + 1)), "c": order(orderNumber=float(last + 3))}
    assert [parameter_shop.place({key: sent})[key]["orders"] for key, sent in explicit.items()] == [
        [last + 1],
        [last + 3],
    ]

    outcomes = parameter_shop.place({key: order() for key in "defg"})

    assert [outcome["orders"] for outcome in outcomes.values()] == [
        [last + 2],
        [last + 4],
        [last + 5],
        [last + 6],
    ]


def test_a_number_earlier_in_the_batch_is_taken_whether_that_order_was_created_or_not(
    parameter_shop: Shop,
) -> None:
    outcomes = parameter_shop.place(
        {
            "bad": order(line("NO-LAMP"), orderNumber=80_001),
            "good": order(orderNumber="80002"),
            "after bad": order(orderNumber=80_001.0),
            "after good": order(orderNumber=80_002),
        }
    )

    assert {key: outcome.get("code") for key, outcome in outcomes.items()} == {
        "bad": -1,
        "good": None,
        "after bad": -5,
        "after good": -5,
    }
    assert "80001" in outcomes["after bad"]["msg"]
    assert outcomes["after good"]["errors"][0]["pointer"] == "/orderNumber"


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59Z", "9999-12-31", "0001-01-02", "0001-01-01T00:00:00Z"])
def test_a_date_at_the_end_of_the_calendar_can_still_be_read_back_in_any_zone(
    parameter_shop: Shop, date: str
) -> None:
    number = parameter_shop.place({"a": order(deliveryDate=date, cancelDate=date, orderDate=date)})["a"][
        "orders"
    ][0]

    for zone in ("UTC", "Europe/Stockholm", "Pacific/Auckland", "America/Los_Angeles"):
        answer = parameter_shop.api.with_settings(organisation_timezone=zone).get(
            f"/v1/orders?order={number}"
        )

        assert answer.status_code == 200, (zone, answer.json)


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"address": {"country": "SE", "email": "x@example.com", "planet": "Mars"}}, "/address/planet"),
        ({"products": [line(colour="red")]}, "/products/0/colour"),
        ({"products": [line(itemText={"colour": "red"})]}, "/products/0/itemText/colour"),
        ({"payment": {"auth": {"status": 1, "amount": 1, "bank": "X"}}}, "/payment/auth/bank"),
        ({"createdFromOrigin": {"type": "return", "id": 1, "who": 1}}, "/createdFromOrigin/who"),
    ],
)
def test_unknown_members_are_ignored_or_refused_when_strictness_is_asked_for(
    parameter_shop: Shop, sent: dict[str, Any], pointer: str
) -> None:
    lenient = parameter_shop.place({"a": order(**sent)})["a"]
    response = parameter_shop.api.post({"a": order(**sent)}, Prefer="respond-async, handling=strict")
    strict = parameter_shop.settled(response.headers["Location"])["a"]

    assert lenient["status"] == "ok"
    assert strict["code"] == -7
    assert [error["pointer"] for error in strict["errors"]] == [pointer]
