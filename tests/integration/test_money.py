"""Money on orders that are really placed: exact, and the same in parts as in one piece."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.support.orders import line, order
from tests.support.parameter_shop import numbers_of, placed, read_parts

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

CENT = Decimal("0.01")


def cents(amount: Any) -> int:
    return int((Decimal(str(amount)) / CENT).to_integral_exact())


def test_a_hundred_random_splits_add_up_to_the_cent_with_shipping_charged_once(parameter_shop: Shop) -> None:
    dice = random.Random(20_261_123)  # noqa: S311 - memorable, not secret

    def amount(most: int) -> str:
        return str(dice.randint(0, most) * CENT)

    def wanted() -> dict[str, Any]:
        skus = dice.choices(["BRASS-LAMP", "TIN-KETTLE", "SOLD-OUT-VASE", "RED-STOOL"], k=dice.randint(1, 5))
        return order(
            *(line(sku, dice.randint(1, 3), unitPrice=amount(5_000)) for sku in skus),
            shippingValue=amount(2_000),
            voucherValue=amount(9_000),
            forceCreate=True,
            createOnly=dice.random() < 0.3,
            warehouseGroup=dice.choice(["Apart", "Later", "Default"]),
        )

    sent = {f"k{n}": wanted() for n in range(100)}
    outcomes = parameter_shop.place(sent)
    for key, outcome in outcomes.items():
        if "order" in outcome:
            outcomes[key] = parameter_shop.complete(outcome["order"])
    found = {one["orderId"]: one for one in parameter_shop.orders("?limit=1000")}

    split = 0
    for key, outcome in outcomes.items():
        parts = [found[number] for number in numbers_of(outcome)]
        split += len(parts) > 1
        lines = sum(cents(one["unitPrice"]) * one["qty"] for one in sent[key]["products"])
        shipping = cents(sent[key]["shippingValue"])
        voucher = min(cents(sent[key]["voucherValue"]), lines + shipping)
        told = [
            [
                cents(part[name])
                for name in ("totalItemsPrice", "shippingValue", "voucherValue", "grandTotalValue")
            ]
            for part in parts
        ]
        assert [sum(column) for column in zip(*told, strict=True)] == [
            lines,
            shipping,
            voucher,
            lines + shipping - voucher,
        ], key
        assert [part[1] for part in told] == [shipping, *[0] * (len(parts) - 1)]
        assert all(amount >= 0 for part in told for amount in part)
        assert sum(one["qty"] for part in parts for one in part["products"]) == sum(
            one["qty"] for one in sent[key]["products"]
        )
    assert split > 20


def test_an_odd_cent_goes_to_one_part_and_the_parts_are_worth_what_they_hold(parameter_shop: Shop) -> None:
    sent = order(
        line("BRASS-LAMP", 1, unitPrice="10.00"),
        line("SOLD-OUT-VASE", 1, unitPrice="10.00"),
        shippingValue=0,
        voucherValue="0.01",
        forceCreate=True,
        warehouseGroup="Later",
    )

    parts = read_parts(parameter_shop, parameter_shop.place({"a": sent})["a"])

    assert [part["voucherValue"] for part in parts] == [0.01, 0.0]
    assert [part["grandTotalValue"] for part in parts] == [9.99, 10.0]


def test_the_largest_amounts_are_kept_to_the_cent_and_one_cent_more_is_refused(parameter_shop: Shop) -> None:
    most = "999999999999.99"
    body = b'{"a": {"address": {"country": "SE", "email": "x@example.com"}, "shippingValue": %b, "products":'
    body += b' [{"sku": "BRASS-LAMP", "qty": 1, "unitPrice": 999999999999.98}], "applyVouchers": false}}'

    fits = parameter_shop.settled(
        parameter_shop.api.post(body % b"0.01", Prefer="respond-async").headers["Location"]
    )["a"]
    above = parameter_shop.settled(
        parameter_shop.api.post(body % b"0.02", Prefer="respond-async").headers["Location"]
    )["a"]

    answer = parameter_shop.api.get(f"/v1/orders?order={fits['orders'][0]}").data
    assert f'"grandTotalValue":{most}'.encode() in answer
    assert (above["code"], "1000000000000.00" in above["msg"]) == (-7, True)


def test_a_quantity_times_a_price_that_no_row_could_hold_is_refused(parameter_shop: Shop) -> None:
    sent = order(line(qty=2_147_483_647, unitPrice="999999999999.99"), adjustStock=False, shippingValue=0)

    outcome = parameter_shop.place({"a": sent})["a"]

    assert outcome["code"] == -7
    assert "2147483646999978525163.53" in outcome["msg"]


def test_the_same_amount_is_the_same_however_it_is_written(parameter_shop: Shop) -> None:
    spellings = (b"14.1", b"14.10", b'"14.1"', b'"14.10"', b"1.41e1", b"141e-1", b'"+14.10"')
    body = b'{"a": {"address": {"country": "SE", "email": "x@example.com"}, "shippingValue": 0, "products":'
    body += b' [{"sku": "BRASS-LAMP", "qty": 3, "unitPrice": %b}]}}'

    totals = set()
    for spelling in spellings:
        outcome = parameter_shop.settled(
            parameter_shop.api.post(body % spelling, Prefer="respond-async").headers["Location"]
        )["a"]
        totals.add(read_parts(parameter_shop, outcome)[0]["grandTotalValue"])

    assert totals == {42.3}


def test_the_currency_is_the_pricelists_and_a_default_shipping_without_a_price_in_it_does_not_apply(
    parameter_shop: Shop,
) -> None:
    dollars = placed(parameter_shop, order(pricelist="USD"))
    kronor = placed(parameter_shop, order(pricelist="SEK"))

    assert (dollars["orderCurrency"], dollars["shippingList"], dollars["grandTotalValue"]) == (
        "USD",
        None,
        60.0,
    )
    assert (kronor["orderCurrency"], kronor["shippingList"], kronor["grandTotalValue"]) == (
        "SEK",
        "standard",
        549.0,
    )


def test_a_running_campaign_is_the_price_and_one_that_has_ended_is_not(parameter_shop: Shop) -> None:
    found = placed(parameter_shop, order(line("RED-STOOL"), line("BRASS-LAMP"), adjustStock=False))

    stool, lamp = found["products"]
    assert (stool["price"], stool["originalPrice"], stool["priceDiscount"]) == (18.0, 20.0, 2.0)
    assert (lamp["price"], lamp["originalPrice"], lamp["priceDiscount"]) == (50.22, 50.22, 0.0)
