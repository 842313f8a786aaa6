"""Orders of accounts: whose address and buyer stand in, and windows that are delivered later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.orders import line
from tests.support.parameter_shop import placed, stock_of

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

HOME = {"country": "SE", "email": "eva@shop.example.com", "firstName": "Eva", "city": "Åre"}


def trade(*lines: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Make an order of account 7 that says nothing of where it goes."""
    return {"accountId": 7, "products": list(lines) or [line()], **rest}


def addressed(found: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: found[part + name[0].upper() + name[1:]] for name in HOME}


def test_an_accounts_address_market_shipping_and_default_buyer_stand_in(parameter_shop: Shop) -> None:
    found = placed(parameter_shop, trade())

    assert addressed(found, "billing") == addressed(found, "delivery") == HOME
    assert (found["market"], found["orderCurrency"]) == ("Europe", "EUR")
    assert (found["shippingList"], found["shippingValue"]) == ("standard", 4.9)
    assert (found["accountId"], found["buyerId"], found["buyerName"]) == (7, 1, "Eva")


def test_an_address_that_is_sent_wins_over_the_accounts(parameter_shop: Shop) -> None:
    elsewhere = {"country": "DE", "email": "lager@example.com", "city": "Köln"}

    found = placed(parameter_shop, trade(deliveryAddress=elsewhere))

    assert (found["deliveryCity"], found["billingCity"], found["billingEmail"]) == (
        "Köln",
        "Köln",
        "lager@example.com",
    )


def test_a_buyer_that_is_named_wins_over_the_default_and_a_name_that_is_sent_over_the_catalogs(
    parameter_shop: Shop,
) -> None:
    adam = placed(parameter_shop, trade(buyerId=2))
    nobody_known = placed(parameter_shop, trade(buyerName="The new one"))
    no_default = placed(parameter_shop, trade(accountId=9, address=HOME))

    assert (adam["buyerId"], adam["buyerName"]) == (2, "Adam")
    assert (nobody_known["buyerId"], nobody_known["buyerName"]) == (1, "The new one")
    assert (no_default["buyerId"], no_default["buyerName"]) == (None, None)


@pytest.mark.parametrize(
    ("account", "code", "pointer", "named"),
    [
        (8, -4, "/address", "account 8"),
        (9, -4, "/address/email", "account 9"),
        (99, -7, "/accountId", "99"),
    ],
)
def test_an_account_that_cannot_lend_an_address_is_told_why(
    parameter_shop: Shop, account: int, code: int, pointer: str, named: str
) -> None:
    outcome = parameter_shop.place({"a": trade(accountId=account)})["a"]

    assert (outcome["code"], outcome["errors"][0]["pointer"]) == (code, pointer)
    assert named in outcome["msg"]


def test_a_buyer_of_another_account_is_not_this_ones(parameter_shop: Shop) -> None:
    outcome = parameter_shop.place({"a": trade(buyerId=5)})["a"]

    assert (outcome["code"], outcome["errors"][0]["pointer"]) == (-7, "/buyerId")
    assert "account 7 has no buyer 5" in outcome["msg"]


def test_the_accounts_email_is_registered_where_the_order_asks_for_it(parameter_shop: Shop) -> None:
    first = placed(parameter_shop, trade(customerRegister=True))
    again = placed(parameter_shop, trade(customerRegister=True))

    assert first["customerRegistered"] is True
    assert again["customerId"] == first["customerId"]


def test_a_preorder_window_takes_no_stock_and_needs_none(parameter_shop: Shop) -> None:
    before = stock_of(parameter_shop, "BRASS-LAMP")

    found = placed(parameter_shop, trade(line(qty=2), line("SOLD-OUT-VASE", 5), deliveryWindow="AW27"))

    assert [one["warehouses"] for one in found["products"]] == [[], []]
    assert [one["backOrdered"] for one in found["products"]] == [0, 0]
    assert stock_of(parameter_shop, "BRASS-LAMP") == before


def test_a_window_that_is_no_preorder_takes_stock_and_fails_without(parameter_shop: Shop) -> None:
    _, reserved = stock_of(parameter_shop, "BRASS-LAMP")["Main"]

    placed(parameter_shop, trade(deliveryWindow="Now"))
    outcome = parameter_shop.place({"a": trade(line("SOLD-OUT-VASE"), deliveryWindow="Now")})["a"]

    assert outcome["code"] == -2
    assert stock_of(parameter_shop, "BRASS-LAMP")["Main"][1] == reserved + 1


def test_a_prepared_preorder_takes_no_stock_when_it_is_completed_either(parameter_shop: Shop) -> None:
    sent = trade(line("SOLD-OUT-VASE", 5), deliveryWindow="AW27", createOnly=True)
    number = parameter_shop.place({"a": sent})["a"]["order"]

    assert parameter_shop.complete(number)["orders"] == [number]

    [found] = parameter_shop.orders(f"?order={number}")
    assert (found["state"], found["products"][0]["backOrdered"]) == ("created", 0)
    assert stock_of(parameter_shop, "SOLD-OUT-VASE") == {"Main": (0, 0)}
