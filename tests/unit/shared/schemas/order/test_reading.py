"""From an order's bytes to an order request: addresses, lines, unknown members, bytes that are no order."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.order import UNREAD_CODE
from shared.domain.outcome import Code, Fault
from shared.domain.parsed import Parsed
from shared.domain.reasons import NOT_OBJECT
from shared.schemas.order.reading import OrderReader
from tests.support.orders import ADDRESS

LINE: dict[str, Any] = {"sku": "BRASS-LAMP", "qty": 1}


def reader(*, strict: bool = False, max_lines: int = 1000) -> OrderReader:
    return OrderReader(zone=ZoneInfo("UTC"), max_lines=max_lines, strict=strict)


def read(order: Any, **how: Any) -> Parsed:
    return reader(**how).read(json.dumps(order).encode())


def told(parsed: Parsed) -> list[tuple[Code, str]]:
    assert (parsed.request is None) == bool(parsed.faults)
    return [(fault.code, fault.pointer) for fault in parsed.faults]


# -- what is no order -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"5", "5"),
        (b"2.5", "2.5"),
        (b"true", "true"),
        (b"null", "null"),
        (b'"x"', "'x'"),
        (b"[]", "[]"),
        (b"[{}]", "[…]"),
        (b"1e99999999999999999999", "1e99999999999999999999"),
    ],
)
def test_an_order_that_is_no_object_is_told_what_it_is(raw: bytes, shown: str) -> None:
    assert reader().read(raw).faults == (Fault(NOT_OBJECT, "", f"the order is {shown}; send an object"),)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a":NaN}', b"\xff", b'{"a":' + b"9" * 9999 + b",}", b"[" * 10**6]
)
def test_bytes_that_are_no_json_are_an_outcome_and_not_an_exception(raw: bytes) -> None:
    assert told(reader().read(raw)) == [(Code.GENERAL, "")]


def test_an_empty_order_is_told_that_it_has_no_lines_and_what_else_is_missing() -> None:
    assert told(read({})) == [(Code.EMPTY, "/products"), (Code.MISSING, "/address")]


def test_the_seeds_own_placeholder_is_an_order_without_lines() -> None:
    assert (Code.EMPTY, "/products") in told(read({"...": "..."}))


# -- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "invoice", "delivery"),
    [
        (["address"], "address", "address"),
        (["invoiceAddress"], "invoiceAddress", "invoiceAddress"),
        (["deliveryAddress"], "deliveryAddress", "deliveryAddress"),
        (["invoiceAddress", "deliveryAddress"], "invoiceAddress", "deliveryAddress"),
        (["address", "deliveryAddress"], "address", "deliveryAddress"),
        (["address", "invoiceAddress"], "invoiceAddress", "address"),
    ],
)
def test_one_address_stands_for_both_and_a_missing_one_falls_back_to_the_other(
    sent: list[str], invoice: str, delivery: str
) -> None:
    addresses = {name: {**ADDRESS, "city": name} for name in sent}

    request = read({"products": [LINE], **addresses}).request

    assert request is not None
    assert request.invoice is not None
    assert request.delivery is not None
    assert (request.invoice.fields["city"], request.delivery.fields["city"]) == (invoice, delivery)


@pytest.mark.parametrize(
    ("addresses", "pointer"),
    [
        ({}, "/address"),
        ({"address": None, "invoiceAddress": None}, "/address"),
        ({"address": {"country": "SE"}}, "/address/email"),
        ({"address": {"country": "SE", "email": ""}}, "/address/email"),
        ({"address": {"email": "eva@example.com"}}, "/address/country"),
        ({"invoiceAddress": {"country": "SE"}, "deliveryAddress": ADDRESS}, "/invoiceAddress/email"),
        ({"invoiceAddress": ADDRESS, "deliveryAddress": {"city": "X"}}, "/deliveryAddress/country"),
        ({"address": {**ADDRESS, "country": "US"}}, "/address/state"),
        ({"address": {**ADDRESS, "country": "CA", "state": " "}}, "/address/state"),
        ({"invoiceAddress": ADDRESS, "deliveryAddress": {"country": "AU"}}, "/deliveryAddress/state"),
    ],
)
def test_what_an_address_lacks_is_minus_four(addresses: dict[str, Any], pointer: str) -> None:
    assert told(read({"products": [LINE], **addresses})) == [(Code.MISSING, pointer)]


def test_a_state_of_the_wrong_type_is_malformed_and_not_missing() -> None:
    order = {"products": [LINE], "address": {**ADDRESS, "country": "US", "state": 5}}

    assert told(read(order)) == [(Code.GENERAL, "/address/state")]


def test_the_delivery_address_needs_no_email_and_an_empty_one_is_none() -> None:
    order = {"products": [LINE], "invoiceAddress": ADDRESS, "deliveryAddress": {"country": "SE", "email": ""}}

    request = read(order).request

    assert request is not None
    assert request.delivery is not None
    assert request.delivery.email is None


def test_an_account_may_stand_in_for_the_address() -> None:
    request = read({"products": [LINE], "accountId": 7}).request

    assert request is not None
    assert (request.invoice, request.delivery) == (None, None)


@pytest.mark.parametrize(
    "written",
    [
        "Åsa Öberg-Ångström",
        "東京都千代田区丸の内１−９−１",  # noqa: RUF001 - as it is written there
        "شارع الملك فهد، الرياض",
        "улица Тверская, 1",
        "ถนนสุขุมวิท 21",
        "३२ महात्मा गांधी मार्ग",
        "서울특별시 중구 세종대로 110",
        "Οδός Ερμού 1",
        "רחוב הרצל 5",
        "e\u0301 is not \u00e9 here",
        "👩‍👩‍👧 Street 5",
        "  two  spaces\tand a tab ",
        'O\'Brien "The" <Bob> & Co; DROP TABLE orders; --',
        "\\u0041 {not} %s a %(format)s",
    ],
)
def test_an_address_is_kept_as_it_was_written_in_any_script(written: str) -> None:
    names = ["firstName", "lastName", "attn", "address", "coaddress", "city", "zipcode", "tele", "cell"]
    sent = {**ADDRESS, "state": written, **dict.fromkeys(names, written)}

    for ascii_only in (False, True):
        raw = json.dumps({"products": [LINE], "address": sent}, ensure_ascii=ascii_only).encode()
        request = reader().read(raw).request

        assert request is not None
        assert request.invoice is not None
        assert request.invoice.fields == sent


# -- lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        ({"sku": "X"}, Code.MISSING, "/products/1/qty"),
        ({"sku": "X", "qty": None}, Code.MISSING, "/products/1/qty"),
        ({"sku": "X", "qty": ""}, Code.MISSING, "/products/1/qty"),
        ({"qty": 1}, Code.MISSING, "/products/1"),
        ({"qty": 1, "sku": "", "ean": None, "id": ""}, Code.MISSING, "/products/1"),
        ({"sku": "X", "qty": 0}, Code.GENERAL, "/products/1/qty"),
        ({"sku": "X", "qty": -1}, Code.GENERAL, "/products/1/qty"),
        ({"sku": "X", "qty": 2.5}, Code.GENERAL, "/products/1/qty"),
        ({"sku": "X", "qty": 2**31}, Code.GENERAL, "/products/1/qty"),
        ({"sku": 5, "qty": 1}, Code.GENERAL, "/products/1/sku"),
        (None, Code.GENERAL, "/products/1"),
        ("", Code.GENERAL, "/products/1"),
        (5, Code.GENERAL, "/products/1"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_where_it_stands(line: Any, code: Code, pointer: str) -> None:
    assert told(read({"address": ADDRESS, "products": [LINE, line]})) == [(code, pointer)]


def test_an_order_has_as_many_lines_as_the_setting_says_and_not_one_more() -> None:
    fits = read({"address": ADDRESS, "products": [LINE] * 3}, max_lines=3)
    too_many = read({"address": ADDRESS, "products": [LINE] * 4}, max_lines=3)
    far_too_many = read({"address": ADDRESS, "products": [LINE] * 10_000})

    assert told(fits) == []
    assert told(too_many) == told(far_too_many) == [(Code.GENERAL, "/products")]
    assert far_too_many.faults[0].msg == "has 10000 lines; 1000 are the most in one order"


def test_every_fault_of_an_order_is_told_at_once() -> None:
    order = {
        "address": {"country": "XX", "email": "eva"},
        "products": [{"qty": 0, "unitPrice": -1}, {"sku": "X"}],
        "orderDate": "2026-02-30",
    }

    assert set(told(read(order))) == {
        (Code.GENERAL, "/address/country"),
        (Code.GENERAL, "/address/email"),
        (Code.GENERAL, "/products/0/qty"),
        (Code.GENERAL, "/products/0/unitPrice"),
        (Code.MISSING, "/products/0"),
        (Code.MISSING, "/products/1/qty"),
        (Code.GENERAL, "/orderDate"),
    }


def test_an_element_of_the_voucher_codes_that_is_wrong_is_told_where_it_stands() -> None:
    order = {"address": ADDRESS, "products": [LINE], "voucherCodes": ["TEN", None, 5, ""]}

    assert told(read(order)) == [(Code.GENERAL, f"/voucherCodes/{i}") for i in (1, 2, 3)]


# -- what could be read all the same --------------------------------------------------------------------


def test_a_faulty_order_still_tells_what_it_names() -> None:
    order = {
        "invoiceAddress": ADDRESS,
        "deliveryAddress": {"country": "DE", "city": 5},
        "products": [{"sku": "X"}],
        "marketId": 9,
        "pricelist": "Gold",
        "customerId": "x",
        "createdFromOrigin": {"type": "order"},
    }

    parsed = read(order)

    assert parsed.country == "DE"
    assert (parsed.names.market_id, parsed.names.pricelist) == (9, "Gold")
    assert (parsed.names.customer_id, parsed.names.origin) == (None, None)


# -- unknown members ------------------------------------------------------------------------------------


def _with_unknown_members() -> dict[str, Any]:
    return {
        "address": {**ADDRESS, "planet": "Earth"},
        "products": [{**LINE, "colour": "red", "itemText": {"font": "x", "localizedProdSize": {"y": 1}}}],
        "payment": {"auth": {"status": 1, "amount": 5, "z": 1}, "w": 1},
        "createdFromOrigin": {"type": "order", "id": 1, "v": 1},
        "newParameter": 1,
    }


def test_unknown_members_are_ignored_at_every_depth() -> None:
    parsed = read(_with_unknown_members())

    assert parsed.faults == ()


def test_unknown_members_are_each_an_error_at_every_depth_when_handling_is_strict() -> None:
    parsed = read(_with_unknown_members(), strict=True)

    assert set(told(parsed)) == {
        (Code.GENERAL, pointer)
        for pointer in (
            "/address/planet",
            "/products/0/colour",
            "/products/0/itemText/font",
            "/products/0/itemText/localizedProdSize/y",
            "/payment/auth/z",
            "/payment/w",
            "/createdFromOrigin/v",
            "/newParameter",
        )
    }


def test_attributes_of_the_clients_own_are_known_when_handling_is_strict() -> None:
    order = {"address": ADDRESS, "products": [LINE], "extraAttributes": {"anything": {"goes": 1}}}

    assert told(read(order, strict=True)) == []


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("a/b~c", "/a~1b~0c"),
        ("", "/"),
        ("\x00", "/\x00"),
        ("_schema", "/_schema"),
        ("x" * 100_000, f"/{'x' * 60}…"),
    ],
    ids=["slashes", "empty", "control", "marshmallow's own", "long"],
)
def test_an_unknown_members_name_may_be_anything(name: str, pointer: str) -> None:
    parsed = read({"address": ADDRESS, "products": [LINE], name: 1}, strict=True)

    assert told(parsed) == [(Code.GENERAL, pointer)]
    assert len(parsed.faults[0].msg) < 200


@pytest.mark.parametrize("name", ["__proto__", "__type__", "__class__", "constructor", "zone", "load"])
def test_names_that_mean_something_elsewhere_mean_nothing_here(name: str) -> None:
    assert told(read({"address": ADDRESS, "products": [LINE], name: {"__value__": 1}})) == []


# -- what is looked up of an order that is refused -------------------------------------------------------


def test_a_code_that_cannot_be_read_leaves_the_others_their_places() -> None:
    parsed = read({"products": [LINE], "address": ADDRESS, "voucherCodes": ["", 5, "NOPE"]})

    assert parsed.names.voucher_codes == (UNREAD_CODE, UNREAD_CODE, "NOPE")


def test_of_a_list_that_is_too_long_no_element_is_read_or_looked_up() -> None:
    parsed = read({"products": [5] * 1001, "address": ADDRESS, "voucherCodes": ["TEN"] * 50 + [5]})

    assert [(fault.pointer, fault.msg) for fault in parsed.faults] == [
        ("/products", "has 1001 lines; 1000 are the most in one order"),
        ("/voucherCodes", "has 51 elements; 50 are the most"),
    ]
    assert parsed.names.voucher_codes == ()


@pytest.mark.parametrize(
    "number", ["1e1000", "1e21", "-1e21", "1e-21", "0e400", "1.5e-40", f"1.{'0' * 16_384}"]
)
def test_a_number_that_would_be_stored_with_more_digits_than_were_sent_is_refused(number: str) -> None:
    raw = json.dumps({"products": [LINE], "address": ADDRESS, "extraAttributes": {"a": "?"}})

    parsed = reader().read(raw.replace('"?"', number).encode())

    assert told(parsed) == [(Code.GENERAL, "/extraAttributes")]
    assert "is too large or too small to be stored; send it as a string" in parsed.faults[0].msg


def test_a_number_counts_with_the_digits_that_it_will_be_written_with() -> None:
    raw = json.dumps({"products": [LINE], "address": ADDRESS, "extraAttributes": {"a": "?"}})
    numbers = "[" + ",".join(["1e20"] * 3_000) + "]"  # 15,000 characters sent, 63,000 stored

    parsed = reader().read(raw.replace('"?"', numbers).encode())

    assert [fault.msg for fault in parsed.faults] == ["is too long; 50000 characters are the most"]


@pytest.mark.parametrize(
    "date",
    [
        "20270131512",
        "1" * 30,
        "20270131W12",
        "2027-01-31-12",
        "2027-01-31T",
        "2027-01-3112:00",
        "2027W041T12:00:",
        "2027-0131",
        "2027-01-31T12:00+2",
        "２０２７-01-31",  # noqa: RUF001 - digits, but not those
    ],
)
def test_what_only_pythons_reader_takes_for_a_date_is_none(date: str) -> None:
    assert told(read({"products": [LINE], "address": ADDRESS, "orderDate": date})) == [
        (Code.GENERAL, "/orderDate")
    ]
