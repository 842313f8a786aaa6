"""GET /v1/orders: what was sent is read back, field by field and exactly."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

INVOICE = {
    "country": "SE",
    "email": "john@example.com",
    "firstName": "Jöhn",
    "lastName": "Smith",
    "tele": "+46 8 123",
    "cell": "+46 70 123",
    "attn": "Accounts",
    "address": "12 Alto Road",
    "coaddress": "c/o Peter",
    "city": "Åre",
    "zipcode": "90212",
}
DELIVERY = {
    "country": "DE",
    "firstName": "李",
    "lastName": "小龍",
    "address": "香港九龍",
    "coaddress": "",
    "city": "Köln",
    "zipcode": "50667",
    "state": "NRW",
}
PRINTED = {
    "sku": "SPECIAL",
    "brand": "House",
    "product": "A special product",
    "variant": "",
    "size": "38",
    "localizedProdSize": {"localizedSize": "5½", "localizationDefinitionName": "UK"},
}
AUTH = {
    "status": 1,
    "amount": "89.13",
    "response": "ok",
    "transaction": "t-1",
    "method": "card",
    "external_url": "https://pay.example/1",
}


def read(shop: Shop, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the orders of an outcome, in its order."""
    assert outcome["status"] == "ok", outcome
    numbers = outcome.get("orders") or [outcome["order"]]
    return [shop.orders(f"?order={number}")[0] for number in numbers]


def read_only(shop: Shop, sent: dict[str, Any], key: str = "a") -> dict[str, Any]:
    """Place one order and read it back."""
    [only] = read(shop, shop.place({key: sent})[key])
    return only


def test_addresses_come_back_under_the_platforms_names_in_every_script(module_shop: Shop) -> None:
    sent = {"invoiceAddress": INVOICE, "deliveryAddress": DELIVERY, "products": [line()]}

    found = read_only(module_shop, sent)

    for name, value in INVOICE.items():
        assert found["billing" + name[0].upper() + name[1:]] == value
    for name, value in DELIVERY.items():
        assert found["delivery" + name[0].upper() + name[1:]] == value
    assert (found["billingName"], found["deliveryName"]) == ("Jöhn Smith", "李 小龍")
    assert found["deliveryEmail"] is None
    assert found["billingState"] is None


def test_a_line_comes_back_with_its_prices_texts_and_warehouses(module_shop: Shop) -> None:
    sent = order(
        line(qty=2, unitPrice=14.11, originalPrice=100.11, comment="wrap it", itemText=PRINTED),
        line("OAK-TABLE", adjust="ignored"),
        adjustStock=False,
    )

    printed, plain = read_only(module_shop, sent)["products"]

    assert (printed["sku"], printed["name"], printed["variant"], printed["size"], printed["brand"]) == (
        "SPECIAL",
        "A special product",
        "",
        "38",
        "House",
    )
    assert printed["itemText"] == PRINTED
    assert (printed["itemSku"], printed["ean"], printed["upc"]) == ("BRASS-LAMP", "7301", "0401")
    assert (printed["price"], printed["originalPrice"], printed["priceDiscount"]) == (14.11, 100.11, 86.0)
    assert (printed["qty"], printed["totalPrice"], printed["comment"]) == (2, 28.22, "wrap it")
    assert (plain["line"], plain["sku"], plain["name"], plain["itemText"]) == (1, "OAK-TABLE", "Table", None)
    assert printed["lineId"] != plain["lineId"]
    assert printed["warehouses"] == []


def test_reserved_units_are_told_by_warehouse_and_missing_ones_as_back_ordered(module_shop: Shop) -> None:
    module_shop.place({"most": order(line("RED-STOOL", 4))})
    lines = line("RED-STOOL", 1), line("OAK-TABLE", 3), line("NO-SUCH", 2, unitPrice=1)

    found = read_only(module_shop, order(*lines, forceCreate=True))

    stool, table, unknown = found["products"]
    assert (stool["backOrdered"], stool["warehouses"]) == (0, [{"name": "Shop", "itemQty": 1}])
    assert (table["backOrdered"], table["warehouses"]) == (3, [])
    assert (unknown["itemId"], unknown["itemSku"], unknown["name"]) == (None, "NO-SUCH", None)
    assert unknown["backOrdered"] == 2
    assert found["forceCreate"] is True


def test_what_is_said_of_the_whole_order_comes_back(module_shop: Shop) -> None:
    [origin] = module_shop.place({"a": order()})["a"]["orders"]

    found = read_only(
        module_shop,
        order(
            marketId=1,
            pricelist="USD",
            warehouseGroup="Apart",
            customerRegister=True,
            customerSetNewPassword=True,
            createdFromOrigin={"type": "order", "id": origin},
            shippingList="standard",
            shippingValue="7.5",
            voucherValue=3,
            sendEmail=False,
            comment="Ring twice",
            internalComment="VIP",
            poNumber="PO-1",
            internalOrder=True,
        ),
    )

    assert {name: found[name] for name in ("marketId", "market", "pricelist", "orderCurrency")} == {
        "marketId": 1,
        "market": "Europe",
        "pricelist": "USD",
        "orderCurrency": "USD",
    }
    assert (found["warehouseGroup"], found["shippingList"]) == ("Apart", "standard")
    assert (found["customerRegistered"], found["customerSetNewPassword"]) == (True, True)
    assert found["createdFromOrigin"] == {"type": "order", "id": origin}
    money = ("totalItemsPrice", "shippingValue", "voucherValue", "grandTotalValue")
    assert [found[name] for name in money] == [60.0, 7.5, 3.0, 64.5]
    assert (found["sendEmail"], found["internalOrder"], found["adjustStock"]) == (False, True, True)
    assert (found["comment"], found["internalComment"], found["poNumber"]) == ("Ring twice", "VIP", "PO-1")


def test_account_buyer_and_delivery_window_come_back(module_shop: Shop) -> None:
    sent = {"accountId": 1, "deliveryWindow": "AW27", "products": [line()]}

    found = read_only(module_shop, sent)

    assert (found["accountId"], found["buyerId"], found["buyerName"]) == (1, 1, "Eva")
    assert (found["deliveryWindow"], found["billingCity"]) == ("AW27", "Åre")
    assert found["products"][0]["warehouses"] == []


def test_dates_come_back_in_the_organisations_zone_as_the_days_that_were_sent(module_shop: Shop) -> None:
    api = module_shop.api.with_settings(organisation_timezone="Europe/Stockholm")
    sent = order(
        orderDate="2025-12-31T23:30:00Z", deliveryDate="2027-01-31T00:00+01:00", cancelDate="2027-07-01"
    )

    [number] = module_shop.place({"a": sent})["a"]["orders"]
    [found] = told(api.get(f"/v1/orders?order={number}"))["orders"]

    assert found["orderDate"] == "2026-01-01T00:30:00+01:00"
    assert found["deliveryDate"] == "2027-01-31T00:00:00+01:00"
    # It named no zone, and was read in that of the workers, UTC.
    assert found["cancelDate"] == "2027-07-01T02:00:00+02:00"


@pytest.mark.parametrize("key", ["", "\0", "🛋️", "a/b~c", '"quoted"\n', "k" * 1000])
def test_the_batch_key_and_the_job_come_back_as_they_were(module_shop: Shop, key: str) -> None:
    found = read_only(module_shop, order(), key)

    assert found["batchKey"] == key
    assert told(module_shop.api.get(f"/v1/jobs/{found['jobId']}/results"))[key]["orders"] == [
        found["orderId"]
    ]


def test_amounts_and_attributes_keep_every_digit(module_shop: Shop) -> None:
    raw = b'{"deep": [1.10, 12345678901234567890.123456789, -0.5], "text": "\\u00e5", "flag": null}'
    body = b'{"a": {"address": {"country": "SE", "email": "x@example.com"}, "extraAttributes": %b,' % raw
    body += b'"products": [{"sku": "BRASS-LAMP", "qty": 1, "unitPrice": 9999999990.1}]}}'
    job = module_shop.api.post(body, Prefer="respond-async").headers["Location"]
    outcome = module_shop.settled(job)["a"]

    answer = module_shop.api.get(f"/v1/orders?order={outcome['orders'][0]}").data

    assert b'"price":9999999990.10,' in answer
    assert b'"grandTotalValue":9999999995.00,' in answer
    attributes = re.search(rb'"extraAttributes":(\{.*?\}),"products"', answer)
    assert attributes is not None
    assert b"1.10, 12345678901234567890.123456789, -0.5]" in attributes[1]
    assert orjson.loads(attributes[1]) == orjson.loads(raw)


def test_vouchers_tell_what_each_took_off(module_shop: Shop) -> None:
    found = read_only(module_shop, order(voucherCodes=["TEN"], shippingValue=0))

    assert found["vouchers"] == [{"code": "TEN", "name": "Ten off", "value": 5.02}]
    assert found["voucherValue"] == 5.02


def test_a_payment_comes_back_as_sent_and_what_is_added_later_beside_it(module_shop: Shop) -> None:
    [number] = module_shop.place({"a": order(payment={"id": 4, "auth": AUTH})})["a"]["orders"]
    capture = {"status": 2, "amount": 10, "transaction": "t-2"}
    module_shop.complete(number, payment={"capture": capture})

    [found] = module_shop.orders(f"?order={number}")

    assert found["payment"]["id"] == 4
    assert found["payment"]["auth"] == {**AUTH, "amount": 89.13}
    assert {name: found["payment"]["capture"][name] for name in capture} == capture
    assert [(one["kind"], one["id"], one["amount"]) for one in found["payments"]] == [
        ("auth", 4, 89.13),
        ("capture", None, 10.0),
    ]
    assert read_only(module_shop, order())["payment"] is None


def test_the_parts_of_a_split_name_each_other_and_add_up(module_shop: Shop) -> None:
    sent = order(
        line(qty=3), line("OAK-TABLE", 2), forceCreate=True, warehouseGroup="Later", voucherValue="0.01"
    )

    parts = read(module_shop, module_shop.place({"a": sent})["a"])

    first, second = parts
    assert (first["siblings"], second["siblings"]) == ([second["orderId"]], [first["orderId"]])
    assert first["jobId"] == second["jobId"]
    cents = [sum(round(Decimal(str(p[n])) * 100) for p in parts) for n in ("totalItemsPrice", "voucherValue")]
    assert cents == [95066, 1]


def test_a_prepared_order_shows_as_such_until_it_is_completed(module_shop: Shop) -> None:
    number = module_shop.place({"a": order(createOnly=True)})["a"]["order"]
    [prepared] = module_shop.orders(f"?order={number}")

    module_shop.complete(number, comment="now")

    [created] = module_shop.orders(f"?order={number}")
    assert (prepared["state"], prepared["products"][0]["warehouses"]) == ("prepared", [])
    assert (created["state"], created["comment"]) == ("created", "now")
    assert created["products"][0]["warehouses"] == [{"name": "Main", "itemQty": 1}]
    assert created["createdAt"] == prepared["createdAt"]
