"""Amounts have their currency's decimals everywhere: in answers, splits, mails, and the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from shared.domain.catalog_file import CatalogRefusedError
from shared.persistence.mail.confirmations import read_confirmation
from tests.support.catalog_files import execute, exported, load
from tests.support.orders import line, order
from tests.support.parameter_shop import placed, read_parts
from worker.mail.message import Stationery, sender_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.placed_orders import Shop

PRICED: dict[str, Any] = {
    "pricelists": [{"name": "YEN", "currency": "JPY"}, {"name": "DINAR", "currency": "KWD"}],
    "shippingOptions": [{"uri": "standard", "price": {"JPY": "500", "KWD": "1.250"}}],
    "items": [
        {"sku": "BRASS-LAMP", "prices": {"YEN": 999, "DINAR": "1.005"}},
        {"sku": "SOLD-OUT-VASE", "prices": {"YEN": "500.00", "DINAR": "2.5"}},
        {"sku": "RED-STOOL", "prices": {"YEN": 999}},
    ],
    "campaigns": [{"name": "Haru", "pricelist": "YEN", "percent": "5", "skus": ["RED-STOOL"]}],
}


@pytest.fixture(scope="module")
def shop(parameter_shop: Shop) -> Shop:
    load(parameter_shop.api.engine, PRICED)
    return parameter_shop


def answer(shop: Shop, number: int) -> str:
    """What GET answers of an order, digit by digit."""
    return str(shop.api.get(f"/v1/orders?order={number}").text)


def refused(shop: Shop, **changes: Any) -> list[tuple[str, str, Any]]:
    outcome = shop.place({"a": order(**changes)})["a"]
    assert outcome["code"] == -7
    return [(error["pointer"], error["reason"], error["params"]) for error in outcome["errors"]]


def test_ten_percent_of_999_yen_leave_899_in_answers_and_mails(shop: Shop) -> None:
    sent = order(pricelist="YEN", voucherCodes=["TEN"], shippingValue=0, sendEmail=True)

    [number] = shop.place({"a": sent})["a"]["orders"]

    told = answer(shop, number)
    assert '"grandTotalValue":899,' in told
    assert '"voucherValue":100,' in told
    assert '"value":100}' in told
    assert '"price":999,' in told
    assert "00" not in told.partition('"orderCurrency"')[2].partition('"vouchers"')[0].replace(":100,", "")
    confirmation = read_confirmation(shop.api.engine, number)
    assert confirmation is not None
    settings = shop.context.settings
    letter = Stationery(sender_of(settings), ZoneInfo("UTC")).write(confirmation, confirmation.ordered_at)
    mail = letter.wire.decode()
    assert "Total: 899 JPY" in mail
    assert "899." not in mail


def test_a_campaign_is_rounded_half_up_to_whole_yen(shop: Shop) -> None:
    found = placed(shop, order(line("RED-STOOL", adjustStock=False), pricelist="YEN", adjustStock=False))

    assert (found["products"][0]["price"], found["products"][0]["priceDiscount"]) == (949, 50)
    assert found["shippingValue"] == 500


def test_parts_in_yen_add_up_in_whole_yen(shop: Shop) -> None:
    sent = order(
        line("BRASS-LAMP"),
        line("SOLD-OUT-VASE"),
        pricelist="YEN",
        voucherCodes=["TEN"],
        voucherValue=1,
        forceCreate=True,
        warehouseGroup="Later",
    )

    parts = read_parts(shop, shop.place({"a": sent})["a"])

    assert [part["voucherValue"] for part in parts] == [113, 38]
    assert [part["grandTotalValue"] for part in parts] == [1386, 462]
    told = [answer(shop, part["orderId"]) for part in parts]
    assert '"grandTotalValue":1386,' in told[0]
    assert '"grandTotalValue":462,' in told[1]


def test_dinars_have_three_decimals_and_those_of_a_voucher_are_rounded_half_up(shop: Shop) -> None:
    sent = order(pricelist="DINAR", voucherCodes=["TEN"], payment=paid("3.1"))

    [number] = shop.place({"a": sent})["a"]["orders"]

    told = answer(shop, number)
    assert '"voucherValue":0.101,' in told
    assert '"shippingValue":1.250,' in told
    assert '"grandTotalValue":2.154,' in told
    assert '"amount":3.100,' in told


def paid(amount: str) -> dict[str, Any]:
    return {"id": 1, "capture": {"status": 1, "amount": amount}}


@pytest.mark.parametrize(
    ("pricelist", "amount", "decimals"), [("EUR", "1.005", 2), ("YEN", "0.5", 0), ("DINAR", "1.0005", 3)]
)
def test_one_decimal_more_is_an_error_wherever_it_is_sent(
    shop: Shop, pricelist: str, amount: str, decimals: int
) -> None:
    priced = {"products": [line(unitPrice=amount, originalPrice=amount)], "pricelist": pricelist}
    found = refused(shop, **priced, shippingValue=amount, voucherValue=amount, payment=paid(amount))

    assert {reason for _, reason, _ in found} == {"too_many_decimals"}
    assert {pointer for pointer, _, _ in found} == {
        "/products/0/unitPrice",
        "/products/0/originalPrice",
        "/shippingValue",
        "/voucherValue",
        "/payment/capture/amount",
    }
    assert all(params == {"decimals": decimals} for _, _, params in found)


def test_too_many_decimals_are_told_with_what_else_is_wrong(shop: Shop) -> None:
    misread = refused(shop, products=[line(qty=0, unitPrice="1.005")], poNumber=5)
    nowhere = refused(shop, products=[line(unitPrice="1.0005")], market="Mars")
    meant = refused(shop, products=[line(unitPrice="1.5")], market="Mars", currency="JPY")

    assert ("/products/0/unitPrice", "too_many_decimals", {"decimals": 2}) in misread
    assert len(misread) == 3
    # Whatever its currency is, it has no more than three.
    assert ("/products/0/unitPrice", "too_many_decimals", {"decimals": 3}) in nowhere
    assert ("/products/0/unitPrice", "too_many_decimals", {"decimals": 0}) in meant


def test_a_payment_of_a_completion_has_the_decimals_of_its_order(shop: Shop) -> None:
    prepared = shop.place({"a": order(pricelist="YEN", createOnly=True)})["a"]["order"]

    told = shop.complete(prepared, payment=paid("0.5"))
    with_another = shop.complete(prepared, payment=paid("0.5"), poNumber=5)

    assert told["errors"][0]["reason"] == "too_many_decimals"
    assert told["errors"][0]["params"] == {"decimals": 0}
    assert [error["pointer"] for error in with_another["errors"]] == ["/poNumber", "/payment/capture/amount"]
    assert shop.complete(prepared, payment=paid("5.00"))["orders"] == [prepared]


def test_what_was_sold_in_hundredths_of_a_yen_is_told_as_it_was(shop: Shop) -> None:
    [number] = shop.place({"a": order(pricelist="YEN", shippingValue=0)})["a"]["orders"]
    execute(
        shop.api.engine,
        "UPDATE orders SET lines_total = 998.90, grand_total = 998.90 WHERE number = :number",
        number=number,
    )

    assert '"grandTotalValue":998.90,' in answer(shop, number)


def test_a_price_in_hundredths_of_a_yen_counts_rounded_half_up(shop: Shop) -> None:
    execute(shop.api.engine, "UPDATE prices SET price = 500.50 WHERE price = 500 AND pricelist_id = 4")
    execute(shop.api.engine, "UPDATE catalog_state SET version = version + 1")

    found = placed(shop, order(line("SOLD-OUT-VASE"), pricelist="YEN", forceCreate=True))

    assert found["products"][0]["price"] == 501
    export = orjson.loads(exported(shop.api.engine))
    [vase] = [item for item in export["items"] if item["sku"] == "SOLD-OUT-VASE"]
    assert vase["prices"]["YEN"] == "501"


CATALOG: dict[str, Any] = {
    "pricelists": [{"name": "YEN", "currency": "JPY"}, {"name": "EUR", "currency": "EUR"}],
    "items": [{"sku": "A", "prices": {"YEN": "500.0", "EUR": 5}}],
    "vouchers": [{"code": "V", "amount": {"JPY": "100.00", "KWD": 1.5}, "minimum": {"JPY": 1}}],
    "shippingOptions": [{"uri": "u", "name": "U", "countries": ["JP"], "price": {"JPY": 50, "EUR": "4.9"}}],
}


def test_an_export_has_every_amount_with_its_currencys_decimals_and_loads_back(engine: Engine) -> None:
    load(engine, CATALOG)

    export = orjson.loads(exported(engine))

    assert export["items"][0]["prices"] == {"YEN": "500", "EUR": "5.00"}
    assert export["vouchers"][0]["amount"] == {"JPY": "100", "KWD": "1.500"}
    assert export["vouchers"][0]["minimum"] == {"JPY": "1"}
    assert export["shippingOptions"][0]["price"] == {"JPY": "50", "EUR": "4.90"}
    assert not load(engine, export).changed


@pytest.mark.parametrize(
    ("list_", "row", "told"),
    [
        (
            "items",
            {"sku": "A", "prices": {"YEN": "0.5"}},
            "items[0].prices.YEN: 0.50 has decimals, and JPY has none; round it first",
        ),
        (
            "items",
            {"sku": "A", "prices": {"EUR": "1.005"}},
            "items[0].prices.EUR: 1.005 has more than the 2 decimals of EUR; round it first",
        ),
        (
            "vouchers",
            {"code": "V", "amount": {"JPY": "0.5"}},
            "vouchers[0].amount.JPY: 0.50 has decimals, and JPY has none; round it first",
        ),
        (
            "shippingOptions",
            {"uri": "u", "price": {"KWD": "0.0005"}},
            "shippingOptions[0].price.KWD: 0.0005 has more than the 3 decimals of KWD; round it first",
        ),
    ],
)
def test_a_catalog_with_more_decimals_than_a_currency_has_is_refused(
    engine: Engine, list_: str, row: dict[str, Any], told: str
) -> None:
    load(engine, CATALOG)

    with pytest.raises(CatalogRefusedError) as refused:
        load(engine, {list_: [row]})

    assert refused.value.faults == (told,)


def test_a_pricelist_gets_no_currency_that_cannot_write_its_prices(engine: Engine) -> None:
    load(engine, {**CATALOG, "items": [{"sku": "A", "prices": {"EUR": "5.50"}}]})
    yen = {"pricelists": [{"name": "EUR", "currency": "JPY"}]}

    with pytest.raises(CatalogRefusedError, match=r"the price of SKU 'A' there is 5\.50 has decimals"):
        load(engine, yen)

    assert load(engine, {**yen, "items": [{"sku": "A", "prices": {"EUR": "600"}}]}).changed
