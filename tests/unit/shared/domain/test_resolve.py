"""From an order request to a draft: prices, customers, and what stands in where nothing is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.draft import Buyer, Doomed, Draft
from shared.domain.order import OrderRequest
from shared.domain.outcome import Code, Fault, Rejected
from shared.domain.parsed import Parsed
from shared.domain.reasons import CUSTOMER_UNKNOWN, FIELD_MISSING, NOT_TEXT
from shared.domain.resolve import prepare, resolve, wanted_customer_ids, wanted_emails
from tests.support.domain_shop import (
    ACCOUNT,
    BRASS_LAMP,
    EVA_AT_HOME,
    NOON,
    PLAIN,
    RED_STOOL,
    line_request,
    order_request,
    snapshot,
)


def drafted(request: OrderRequest, **changes: Any) -> Draft:
    found = resolve(request, snapshot(**changes))
    assert isinstance(found, Draft), found
    return found


def faults(request: OrderRequest, **changes: Any) -> list[Fault]:
    found = resolve(request, snapshot(**changes))
    assert isinstance(found, Doomed), found
    return list(found.faults)


# -- prices ------------------------------------------------------------------------------------------------


def test_a_line_without_prices_has_the_pricelists() -> None:
    found = drafted(order_request(line_request(BRASS_LAMP)))

    assert (found.lines[0].unit_price, found.lines[0].original_price) == (Decimal("50.22"), Decimal("50.22"))


def test_prices_that_were_sent_win() -> None:
    wanted = replace(line_request(BRASS_LAMP, price="14.11"), original_price=Decimal("100.11"))

    found = drafted(order_request(wanted))

    assert (found.lines[0].unit_price, found.lines[0].original_price) == (Decimal("14.11"), Decimal("100.11"))


def test_the_pricelists_price_is_what_a_sent_price_is_compared_with() -> None:
    found = drafted(order_request(line_request(BRASS_LAMP, price="40.00")))

    assert found.lines[0].original_price == Decimal("50.22")


def test_a_running_campaign_lowers_the_unit_price_but_not_the_original_one() -> None:
    before_its_end = drafted(order_request(line_request(RED_STOOL)), moment=NOON - timedelta(seconds=1))
    at_its_end = drafted(order_request(line_request(RED_STOOL)), moment=NOON)

    assert before_its_end.lines[0].unit_price == Decimal("11.25")
    assert before_its_end.lines[0].original_price == Decimal("12.50")
    assert at_its_end.lines[0].unit_price == Decimal("12.50")


def test_an_order_may_come_to_what_the_database_holds_and_not_to_a_cent_more() -> None:
    most = line_request(BRASS_LAMP, 1, "999999999999.99")

    fits = resolve(order_request(most), snapshot(PLAIN))
    too_much = faults(order_request(most, shipping_value=Decimal("0.01")), catalog=PLAIN)
    far_too_much = faults(order_request(*[replace(most, quantity=2_147_483_647)] * 1000), catalog=PLAIN)

    assert isinstance(fits, Draft)
    assert [(fault.code, fault.pointer) for fault in too_much] == [(Code.GENERAL, "")]
    assert "1000000000000.00" in too_much[0].msg
    assert far_too_much[0].code is Code.GENERAL


# -- customers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "buyer"),
    [
        ({}, Buyer(None, "eva@example.com", register=False)),
        ({"customer_register": True}, Buyer(5, "eva@example.com", register=True)),
        ({"names": {"customer_id": 4}}, Buyer(4, "eva@example.com", register=False)),
        (
            {"names": {"customer_id": 4}, "customer_register": True},
            Buyer(4, "eva@example.com", register=False),
        ),
    ],
)
def test_an_order_is_a_named_customers_or_the_registered_one_or_a_new_ones(
    parameters: dict[str, Any], buyer: Buyer
) -> None:
    assert drafted(order_request(**parameters)).buyer == buyer


def test_an_email_is_registered_once_however_it_is_capitalised() -> None:
    shouted = replace(EVA_AT_HOME, email="EVA@Example.com")

    found = drafted(order_request(invoice=shouted, customer_register=True))

    assert found.buyer == Buyer(5, "EVA@Example.com", register=True)


def test_an_unknown_customer_is_minus_six() -> None:
    assert faults(order_request(names={"customer_id": 99})) == [
        Fault(CUSTOMER_UNKNOWN, "/customerId", "no customer has id 99")
    ]


def test_only_orders_that_go_to_a_registered_customer_have_an_email_looked_up() -> None:
    requests = [
        order_request(),
        order_request(customer_register=True),
        order_request(customer_register=True, invoice=replace(EVA_AT_HOME, email="Bo@Example.com")),
        order_request(customer_register=True, names={"customer_id": 4}),
    ]

    assert wanted_emails(requests, {}) == {"eva@example.com", "bo@example.com"}
    assert wanted_customer_ids(requests) == {4}


# -- accounts ----------------------------------------------------------------------------------------------


def of_account(**names: Any) -> OrderRequest:
    return order_request(invoice=None, delivery=None, names={"account_id": 7, **names})


def test_an_accounts_address_and_buyer_stand_in_where_none_is_sent() -> None:
    found = drafted(of_account())

    assert (found.invoice, found.delivery) == (EVA_AT_HOME, EVA_AT_HOME)
    assert found.terms.buyer_id == 1
    assert found.market.name == "Europe"


def test_an_accounts_email_is_looked_up_where_it_is_to_be_registered() -> None:
    wanted = replace(of_account(), customer_register=True)

    assert wanted_emails([wanted], {7: ACCOUNT}) == {"eva@example.com"}
    assert drafted(wanted).buyer.customer_id == 5


@pytest.mark.parametrize(
    ("account", "pointer"),
    [
        (replace(ACCOUNT, address=None), "/address"),
        (replace(ACCOUNT, address=replace(EVA_AT_HOME, email=None)), "/address/email"),
    ],
)
def test_an_account_without_an_address_cannot_lend_one(account: Any, pointer: str) -> None:
    found = faults(of_account(), accounts={7: account})

    assert [(fault.code, fault.pointer) for fault in found] == [(Code.MISSING, pointer)]


@pytest.mark.parametrize(
    ("names", "pointer", "value"),
    [
        ({"account_id": 8}, "/accountId", "8"),
        ({"buyer_id": 3}, "/buyerId", "3"),
        ({"delivery_window": "SS99"}, "/deliveryWindow", "'SS99'"),
        ({"shipping_uri": "pigeon"}, "/shippingList", "'pigeon'"),
        ({"shipping_uri": "express"}, "/shippingList", "EUR"),
        ({"voucher_codes": ("TEN", "NOPE")}, "/voucherCodes/1", "'NOPE'"),
        ({"voucher_codes": ("TEN", "TEN")}, "/voucherCodes/1", "'TEN'"),
    ],
)
def test_a_name_that_stands_for_nothing_is_minus_seven_and_names_the_value(
    names: dict[str, Any], pointer: str, value: str
) -> None:
    found = faults(order_request(names={"account_id": 7, **names}))

    assert [(fault.code, fault.pointer) for fault in found] == [(Code.GENERAL, pointer)]
    assert value in found[0].msg


def test_a_buyer_without_an_account_is_told_so() -> None:
    (found,) = faults(order_request(names={"buyer_id": 1}))

    assert (found.code, found.pointer) == (Code.GENERAL, "/buyerId")


def test_an_order_of_an_unknown_account_is_rejected_and_not_left_hanging() -> None:
    parsed = Parsed(replace(of_account(), names=replace(of_account().names, account_id=99)))

    rejected = prepare(parsed, snapshot(), repeated=False)

    assert isinstance(rejected, Rejected)
    assert rejected.msg == "accountId: no account has id 99"


# -- shipping and vouchers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "uri", "value"),
    [
        ({}, "standard", "4.90"),
        ({"shipping_value": Decimal("1.00")}, "standard", "1.00"),
        ({"shipping_value": Decimal(0)}, "standard", "0.00"),
        ({"names": {"pricelist": "SEK"}}, None, "0.00"),
        ({"names": {"shipping_uri": "express", "pricelist": "SEK"}}, "express", "99.00"),
        ({"names": {"shipping_uri": "express"}, "shipping_value": Decimal("9.00")}, "express", "9.00"),
    ],
)
def test_shipping_is_as_sent_or_the_countrys_default(
    parameters: dict[str, Any], uri: str | None, value: str
) -> None:
    found = drafted(order_request(**parameters))

    assert (found.shipping.uri, found.shipping.value) == (uri, Decimal(value))


def test_vouchers_come_off_lines_and_shipping_and_automatic_ones_only_from_their_minimum() -> None:
    cheap = drafted(order_request(line_request(BRASS_LAMP, 1), names={"voucher_codes": ("TEN", "GIFT")}))
    dear = drafted(order_request(line_request(BRASS_LAMP, 2), voucher_value=Decimal("1.00")))
    plain = drafted(order_request(line_request(BRASS_LAMP, 2), apply_vouchers=False))

    assert cheap.totals.voucher == Decimal("5.02") + Decimal("5.00")
    assert dear.totals.voucher == Decimal("10.00") + Decimal("1.00")
    assert plain.totals.voucher == 0


def test_vouchers_never_make_an_order_cost_less_than_nothing() -> None:
    found = drafted(order_request(line_request(BRASS_LAMP), voucher_value=Decimal("999.00")))

    assert found.totals.grand == 0


# -- preparing ---------------------------------------------------------------------------------------------


def test_an_order_number_that_exists_is_minus_five() -> None:
    parsed = Parsed(order_request(order_number=77))

    rejected = prepare(parsed, snapshot(taken_numbers=frozenset({77})), repeated=False)

    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.retryable) == (Code.NUMBER_TAKEN, False)
    assert rejected.msg == "orderNumber: order number 77 exists; leave it out to get the next one"


def test_an_order_number_that_stands_earlier_in_the_batch_is_minus_five() -> None:
    rejected = prepare(Parsed(order_request(order_number=77)), snapshot(), repeated=True)

    assert isinstance(rejected, Rejected)
    assert "77 is used earlier in the same batch" in rejected.msg


def test_faults_of_looking_up_are_told_with_those_of_reading() -> None:
    wrong = Fault(NOT_TEXT, "/poNumber", "5 is not a string")
    names = replace(order_request().names, market="Mars", delivery_window="SS99", voucher_codes=("NOPE",))

    rejected = prepare(Parsed(None, (wrong,), names, "SE"), snapshot(), repeated=False)

    assert isinstance(rejected, Rejected)
    assert {fault.pointer for fault in rejected.faults} == {
        "/poNumber",
        "/market",
        "/deliveryWindow",
        "/voucherCodes/0",
    }


def test_a_faulty_order_without_a_country_is_not_told_about_its_market() -> None:
    wrong = Fault(FIELD_MISSING, "/address", "is required")

    rejected = prepare(Parsed(None, (wrong,)), snapshot(), repeated=False)

    assert isinstance(rejected, Rejected)
    assert rejected.faults == (wrong,)
