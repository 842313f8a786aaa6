"""What stands in where an order says nothing: account, buyer, shipping; and names that mean nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.catalog import Account, ShippingOption, index_catalog
from shared.domain.order import Address, OrderNames, Origin
from shared.domain.outcome import Code
from shared.domain.terms import Shipping, Terms, addresses, buyer_name, find_terms, ship
from tests.support.domain_shop import ACCOUNT, EVA_AT_HOME, TABLES, order_request, snapshot

ELSEWHERE = Address("DE", "bo@example.com", {"country": "DE", "email": "bo@example.com"})


def test_an_order_that_names_nothing_has_no_terms_and_no_faults() -> None:
    assert find_terms(OrderNames(), snapshot()) == (Terms(), [])


def test_names_that_stand_for_something_are_looked_up() -> None:
    names = OrderNames(
        account_id=7,
        buyer_id=2,
        delivery_window="AW27",
        shipping_uri="express",
        origin=Origin("order", 77),
        voucher_codes=("TEN",),
    )

    terms, faults = find_terms(names, snapshot(origins={77: 1}))

    assert faults == []
    assert (terms.account, terms.buyer_id) == (ACCOUNT, 2)
    assert terms.window is not None
    assert terms.window.preorder


@pytest.mark.parametrize(
    ("names", "pointer", "msg"),
    [
        ({"account_id": 99}, "/accountId", "no account has id 99"),
        ({"account_id": 7, "buyer_id": 3}, "/buyerId", "account 7 has no buyer 3"),
        ({"buyer_id": 1}, "/buyerId", "is a buyer of an account; send accountId too"),
        ({"delivery_window": "SS99"}, "/deliveryWindow", "no delivery window is named 'SS99'"),
        ({"shipping_uri": "pigeon"}, "/shippingList", "no shipping option has URI 'pigeon'"),
        ({"origin": Origin("order", 78)}, "/createdFromOrigin/id", "no order has number 78"),
        ({"voucher_codes": ("NOPE",)}, "/voucherCodes/0", "no voucher has code 'NOPE'"),
    ],
)
def test_a_name_that_stands_for_nothing_is_told_where_it_stands(
    names: dict[str, Any], pointer: str, msg: str
) -> None:
    _, faults = find_terms(OrderNames(**names), snapshot(origins={77: 1}))

    assert [(fault.code, fault.pointer, fault.msg) for fault in faults] == [(Code.GENERAL, pointer, msg)]


def test_all_names_that_stand_for_nothing_are_told_together() -> None:
    names = OrderNames(account_id=99, delivery_window="SS99", shipping_uri="pigeon", voucher_codes=("NOPE",))

    _, faults = find_terms(names, snapshot())

    assert len(faults) == 4


@pytest.mark.parametrize("kind", ["return", "plugin"])
def test_only_an_order_as_origin_must_exist_here(kind: str) -> None:
    _, faults = find_terms(OrderNames(origin=Origin(kind, 12_345)), snapshot())

    assert faults == []


def test_addresses_that_are_sent_win_over_the_accounts() -> None:
    assert addresses(order_request(invoice=ELSEWHERE, delivery=ELSEWHERE), ACCOUNT) == (
        ELSEWHERE,
        ELSEWHERE,
        [],
    )
    assert addresses(order_request(invoice=None, delivery=None), ACCOUNT) == (EVA_AT_HOME, EVA_AT_HOME, [])


@pytest.mark.parametrize(
    ("account", "pointer"),
    [
        (replace(ACCOUNT, address=None), "/address"),
        (replace(ACCOUNT, address=Address("SE", None, {"country": "SE"})), "/address/email"),
    ],
)
def test_an_account_that_lends_no_address_leaves_one_to_be_sent(account: Account, pointer: str) -> None:
    invoice, delivery, faults = addresses(order_request(invoice=None, delivery=None), account)

    assert (invoice, delivery) == (None, None)
    assert [(fault.code, fault.pointer) for fault in faults] == [(Code.MISSING, pointer)]


@pytest.mark.parametrize(
    ("sent", "buyer_id", "name"),
    [("The new one", 1, "The new one"), (None, 2, "Bo"), (None, None, None)],
)
def test_a_buyer_is_called_as_sent_or_as_the_account_has_it(
    sent: str | None, buyer_id: int | None, name: str | None
) -> None:
    assert buyer_name(order_request(buyer_name=sent), Terms(ACCOUNT, buyer_id)) == name


@pytest.mark.parametrize(
    ("uri", "sent", "currency", "shipping"),
    [
        (None, None, "EUR", Shipping("standard", Decimal("4.90"))),
        (None, "0.00", "EUR", Shipping("standard", Decimal("0.00"))),
        (None, "7.00", "USD", Shipping("standard", Decimal("7.00"))),
        (None, None, "USD", Shipping(None, Decimal("0.00"))),
        ("express", None, "SEK", Shipping("express", Decimal("99.00"))),
        ("express", "1.00", "USD", Shipping("express", Decimal("1.00"))),
    ],
)
def test_shipping_is_as_sent_else_the_options_price_else_the_countrys_default(
    uri: str | None, sent: str | None, currency: str, shipping: Shipping
) -> None:
    value = None if sent is None else Decimal(sent)
    request = order_request(names={"shipping_uri": uri}, shipping_value=value)

    assert ship(request, "SE", currency, snapshot()) == (shipping, [])


def test_an_option_that_was_asked_for_and_has_no_price_is_told_so() -> None:
    _, faults = ship(order_request(names={"shipping_uri": "express"}), "SE", "USD", snapshot())

    assert [(fault.pointer, fault.msg) for fault in faults] == [
        ("/shippingList", "shipping option 'express' has no price in USD; send shippingValue")
    ]


def test_a_country_without_a_default_option_is_shipped_for_nothing_unless_a_value_is_sent() -> None:
    only_sweden = ShippingOption("s", "S", frozenset({"SE"}), default=True, prices={"EUR": Decimal(1)})
    shop = snapshot(index_catalog(1, replace(TABLES, shipping=[only_sweden])))

    assert ship(order_request(), "DE", "EUR", shop) == (Shipping(None, Decimal("0.00")), [])
    assert ship(order_request(shipping_value=Decimal("3.00")), "DE", "EUR", shop) == (
        Shipping(None, Decimal("3.00")),
        [],
    )
