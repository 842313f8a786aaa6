"""What real files have in them, row by row, with what it is read to: each through both ways of reading."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.decide import decide
from shared.domain.order import OrderRequest
from shared.domain.outcome import Created, Rejected, quoted
from shared.domain.parsed import Parsed
from shared.domain.resolve import prepare
from shared.domain.vouchers import Uses
from shared.schemas.order.reading import OrderReader
from shared.schemas.outcome import outcome_json
from tests.support.domain_shop import snapshot, stock
from tests.support.orders import ADDRESS

READERS = {
    strict: OrderReader(zone=ZoneInfo("Europe/Stockholm"), max_lines=5_000, strict=strict)
    for strict in (False, True)
}
LAMP: dict[str, Any] = {"sku": "BRASS-LAMP", "qty": 1}
ORDER: dict[str, Any] = {"address": ADDRESS, "products": [LAMP]}
SIZE = {"localizedSize": "5½", "localizationDefinitionName": "UK"}


def read(order: Any, *, strict: bool = False) -> Parsed:
    """Read an order both ways, which must agree."""
    raw = json.dumps(order).encode()
    parsed = READERS[strict].read(raw)
    assert parsed == READERS[strict].read_thoroughly(raw)
    return parsed


def request(**members: Any) -> OrderRequest:
    parsed = read({**ORDER, **members})
    assert parsed.request is not None, parsed.faults
    return parsed.request


def faults(**members: Any) -> list[tuple[int, str, str]]:
    parsed = read({**ORDER, **members})
    assert parsed.request is None
    return [(int(fault.code), fault.pointer, fault.msg) for fault in parsed.faults]


def test_an_invoice_of_a_wholesaler_has_room() -> None:
    assert len(request(products=[LAMP] * 1_114).lines) == 1_114


@pytest.mark.parametrize(
    "nothing",
    [
        *({name: []} for name in ("payment", "extraAttributes", "createdFromOrigin", "deliveryAddress")),
        {"payment": {"id": "", "auth": [], "capture": []}},
        *(
            {name: ""}
            for name in (
                *("orderDate", "deliveryDate", "cancelDate", "shippingValue", "voucherValue", "customerId"),
                *("orderNumber", "sendEmail", "adjustStock", "market", "pricelist", "warehouseGroup"),
                *("deliveryWindow", "shippingList", "currency", "payment", "voucherCodes"),
            )
        ),
        {"orderDate": "0000-00-00 00:00:00", "deliveryDate": "0000-00-00"},
        {"products": [{**LAMP, "itemText": [], "id": "", "ean": "", "upc": "", "unitPrice": ""}]},
        {"products": [{**LAMP, "localizedProdSize": [], "originalPrice": None}]},
        {"voucherCodes": {}},
    ],
    ids=str,
)
def test_what_exporters_write_for_nothing_is_absent(nothing: dict[str, Any]) -> None:
    plain = request()

    read_to = request(**nothing)

    expected: dict[str, Any] | None = (
        {} if "payment" in nothing and isinstance(nothing["payment"], dict) else None
    )
    assert read_to.payment == expected
    assert (read_to.lines, read_to.names, read_to.order_date) == (
        plain.lines,
        plain.names,
        plain.order_date,
    )
    assert (read_to.delivery, read_to.extra_attributes) == (plain.delivery, plain.extra_attributes)


def test_phps_list_with_holes_is_a_list_in_that_order() -> None:
    lines = {"1": {"sku": "A", "qty": 1}, "3": {"sku": "B", "qty": 2}}

    read_to = request(products=lines, voucherCodes={"4": "TEN"})

    assert [(line.sku, line.quantity) for line in read_to.lines] == [("A", 1), ("B", 2)]
    assert read_to.names.voucher_codes == ("TEN",)


def test_faults_name_the_elements_of_such_a_list_as_they_were_sent() -> None:
    malformed = {**ORDER, "products": {"1": LAMP, "3": {"qty": 0}}}
    unknown = {**ORDER, "products": {"1": LAMP, "7": {"sku": "NO-LAMP", "qty": 1}}}
    short = {**ORDER, "products": {"5": LAMP}}
    codes = {**ORDER, "voucherCodes": {"2": "TEN", "9": "NOPE"}}

    assert pointers(malformed) == ["/products/3"]
    assert pointers(unknown) == ["/products/7/sku"]
    assert pointers(short) == ["/products/5"]
    assert pointers(codes) == ["/voucherCodes/9"]


def rejected(order: Any) -> Rejected:
    draft = prepare(read(order), snapshot(), repeated=False)
    [decided] = decide([draft], stock(), Uses({}))
    assert isinstance(decided, Rejected)
    return decided


def pointers(order: Any) -> list[str]:
    return [fault.pointer for fault in rejected(order).faults]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-05-29 10:15:00 +0200", datetime(2026, 5, 29, 8, 15, tzinfo=UTC)),
        ("2026-05-29 10:15:00 +02:00", datetime(2026, 5, 29, 8, 15, tzinfo=UTC)),
        ("2026-05-29 10:15:00 -0530", datetime(2026, 5, 29, 15, 45, tzinfo=UTC)),
        ("2026-05-29T10:15:00 Z", datetime(2026, 5, 29, 10, 15, tzinfo=UTC)),
        ("2026-05-29 10:15:00", datetime(2026, 5, 29, 8, 15, tzinfo=UTC)),
    ],
)
def test_a_date_with_its_zone_behind_it_is_that_moment(written: str, moment: datetime) -> None:
    assert request(orderDate=written).order_date == moment


def test_the_lines_upc_and_its_localized_size_are_honoured() -> None:
    [by_upc, printed, both] = request(
        products=[
            {"qty": 1, "upc": "711719814153"},
            {**LAMP, "localizedProdSize": SIZE},
            {**LAMP, "localizedProdSize": {"localizedSize": "x"}, "itemText": {"localizedProdSize": SIZE}},
        ]
    ).lines

    assert by_upc.upc == "711719814153"
    assert printed.item_text == both.item_text == {"localizedProdSize": SIZE}


@pytest.mark.parametrize("name", ["sku", "ean", "upc"])
def test_a_code_is_read_in_the_form_in_which_names_are_compared(name: str) -> None:
    [line] = request(products=[{name: "SMO\u0308RG", "qty": 1}]).lines

    assert getattr(line, name) == "SMÖRG"


def test_names_are_read_in_the_form_in_which_names_are_compared() -> None:
    named = request(market="O\u0308st", pricelist="e\u0301", voucherCodes=["NA\u0308R"]).names

    assert (named.market, named.pricelist, named.voucher_codes) == ("Öst", "é", ("NÄR",))


@pytest.mark.parametrize(
    ("country", "meant"),
    [
        *(("UK", "GB"), ("EL", "GR"), ("Sweden", "SE"), ("SE ", "SE"), ("se", "SE"), ("SWE", "SE")),
        ("Kosovo", "XK"),
    ],
)
def test_a_country_that_is_no_code_is_told_which_one_to_write(country: str, meant: str) -> None:
    told = f"{quoted(country)} is not an ISO 3166 alpha-2 country code; write {meant!r}"

    assert faults(address={**ADDRESS, "country": country}) == [(-7, "/address/country", told)]


def test_kosovo_is_a_country() -> None:
    delivery = request(address={**ADDRESS, "country": "XK"}).delivery

    assert delivery is not None
    assert delivery.country == "XK"


def test_a_code_that_is_empty_and_one_that_is_unknown_are_told_at_their_places() -> None:
    assert pointers({**ORDER, "voucherCodes": ["", "NOPE"]}) == ["/voucherCodes/0", "/voucherCodes/1"]


def test_the_currency_that_the_sender_counts_in_is_read() -> None:
    assert request(currency="SEK").names.currency == "SEK"
    assert faults(currency="sek") == [
        (-7, "/currency", "'sek' is not an ISO 4217 currency code; write 'SEK'"),
    ]


def test_a_number_where_text_belongs_says_that_zeros_may_be_lost() -> None:
    lost = "711 is not a string; send it in quotes, for zeros at its start would be lost"

    assert faults(poNumber=711, products=[{**LAMP, "ean": 711}]) == [
        (-7, "/products/0/ean", lost),
        (-7, "/poNumber", lost),
    ]


def test_money_may_come_as_text() -> None:
    [line] = request(products=[{**LAMP, "unitPrice": "14.11", "qty": "2"}]).lines

    assert (line.unit_price, line.quantity) == (Decimal("14.11"), 2)


UNKNOWN = {
    **ORDER,
    "poNummer": "PO-7",
    "tax": None,
    "products": [{**LAMP, "colour": {"deep": 1}}],
    "address": {**ADDRESS, "a/b~": 1},
}


def test_members_that_are_no_parameters_are_ignored_and_told() -> None:
    parsed = read(UNKNOWN)

    assert parsed.request == request()
    assert parsed.ignored == ("/poNummer", "/tax", "/address/a~1b~0", "/products/0/colour")


def test_the_first_twenty_of_them_are_told() -> None:
    parsed = read({**ORDER, **{f"m{i}": i for i in range(30)}})

    assert parsed.ignored == tuple(f"/m{i}" for i in range(20))


def test_in_strict_mode_each_of_them_is_an_error_whichever_way_is_taken() -> None:
    parsed = read(UNKNOWN, strict=True)

    assert parsed.ignored == ()
    assert [fault.pointer for fault in parsed.faults] == [
        "/poNummer",
        "/tax",
        "/address/a~1b~0",
        "/products/0/colour",
    ]


def test_an_outcome_tells_what_was_ignored_and_says_nothing_where_nothing_was() -> None:
    told: list[Callable[[tuple[str, ...]], Any]] = [
        lambda ignored: outcome_json(Created((7,), ignored)),
        lambda ignored: outcome_json(replace(rejected({}), ignored=ignored)),
    ]

    for outcome_of in told:
        assert outcome_of(("/tax",))["ignored"] == ["/tax"]
        assert "ignored" not in outcome_of(())


@pytest.mark.parametrize("written", ["2027-01-31T12:00:00 01:00", "2027-01-31T12:00:00 0100"])
def test_a_plus_that_a_query_string_lost_is_told(written: str) -> None:
    [(_, _, msg)] = faults(orderDate=written)

    assert msg.endswith("; in a query string, a + is written %2B")
