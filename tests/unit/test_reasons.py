"""Every reason in the list is made by something that clients do, and every fault has one of the list."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from marshmallow import ValidationError

from api.body.batch import read_batch
from api.orders.list_view import page_too_large
from api.web.errors import ApiError
from shared.domain.completion import already_shipping, no_such_order
from shared.domain.order_list import OrderSize, check_page
from shared.domain.outcome import Fault, Reason, Rejected
from shared.domain.reasons import REASONS
from shared.domain.rejections import could_not_be_stored, given_up, too_slow
from shared.domain.resolve import prepare
from shared.domain.stock_count import StockCount, resolve_counts
from shared.schemas.lists.stock import StockQuery
from shared.schemas.openapi.answers import ANSWERS
from shared.schemas.order.reading import OrderReader, faults_of
from shared.schemas.query import read_query
from shared.settings import Settings
from tests.support.domain_shop import ACCOUNT, decided, snapshot, stock

ROOT = Path(__file__).parents[2]
BY_NAME = {reason.name: reason for reason in REASONS}
ADDRESS = {"country": "SE", "email": "eva@example.com"}
LAMP = {"sku": "BRASS-LAMP", "qty": 1}
COUNT = StockCount(0, "7", 5, "Moon")

WHOLE = {"address": ADDRESS, "products": [LAMP]}


def order(**changes: Any) -> Callable[[], list[Fault]]:
    """The faults of an order from Sweden for a lamp, with something changed."""
    return sent(json.dumps({**WHOLE, **changes}))


def line(**changes: Any) -> Callable[[], list[Fault]]:
    return order(products=[{**LAMP, **changes}])


def sent(text: str, *, strict: bool = False) -> Callable[[], list[Fault]]:
    def faults() -> list[Fault]:
        reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=3, strict=strict)
        seen = snapshot(
            taken_numbers=frozenset({77}), accounts={7: ACCOUNT, 8: replace(ACCOUNT, id=8, address=None)}
        )
        market_ids = frozenset({1}) if '"America"' in text else None
        draft = prepare(reader.read(text.encode()), replace(seen, market_ids=market_ids), repeated=False)
        (decision,) = decided(draft, available=stock(lamp_main=5))
        return list(decision.faults) if isinstance(decision, Rejected) else []

    return faults


def repeated_number() -> list[Fault]:
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=3, strict=False)
    raw = json.dumps({"address": ADDRESS, "products": [LAMP], "orderNumber": 5}).encode()
    rejected = prepare(reader.read(raw), snapshot(), repeated=True)
    return list(rejected.faults) if isinstance(rejected, Rejected) else []


def asked(*parameters: tuple[str, str]) -> Callable[[], list[Fault]]:
    def faults() -> list[Fault]:
        read = read_query(StockQuery(zone=ZoneInfo("UTC"), page_max=5), parameters)
        return read if isinstance(read, list) else []

    return faults


def posted(body: bytes, **limits: Any) -> Callable[[], list[Fault]]:
    def faults() -> list[Fault]:
        settings = replace(Settings(), **limits)
        with pytest.raises(ApiError) as refused:
            read_batch(bytearray(body), by_line=False, settings=settings)
        return list(refused.value.faults)

    return faults


def page(*sizes: OrderSize) -> Callable[[], list[Fault]]:
    def faults() -> list[Fault]:
        too_large = check_page(sizes, most_lines=9, most_bytes=900)
        return [] if too_large is None else list(page_too_large(too_large).faults)

    return faults


CASES: dict[str, list[Callable[[], list[Fault]]]] = {
    "order_empty": [order(products=[]), order(products=None)],
    "field_missing": [order(address=None), line(qty=None), line(qty=""), order(address={"country": "SE"})],
    "item_not_named": [line(sku="")],
    "account_without_address": [order(address=None, accountId=8)],
    "not_readable": [sent('{"products": [], "products": []}')],
    "not_object": [sent("5"), order(address="Storgatan 1"), order(extraAttributes=5)],
    "not_array": [order(voucherCodes="TEN"), order(products=5)],
    "not_text": [order(poNumber=5)],
    "not_whole": [line(qty=2.5), line(qty="two")],
    "not_boolean": [order(forceCreate="maybe")],
    "not_money": [line(unitPrice="1,50")],
    "not_date": [order(orderDate="2026-02-30")],
    "not_email": [order(address={**ADDRESS, "email": "eva"})],
    "not_country": [order(address={**ADDRESS, "country": "SWE"})],
    "not_currency": [order(currency="sek")],
    "not_cursor": [asked(("cursor", "x"))],
    "is_null": [order(voucherCodes=[None])],
    "is_empty": [order(market=" ")],
    "out_of_range": [line(qty=0), line(unitPrice=-1), order(voucherValue=1e12)],
    "too_many_decimals": [
        line(unitPrice=0.001),
        order(voucherValue=0.001, poNumber=5),
        order(voucherValue=0.0001, market="Mars"),
    ],
    "too_long": [order(poNumber="x" * 256), order(extraAttributes={"a": "x" * 50_001})],
    "too_many": [order(products=[LAMP] * 4), order(voucherCodes=["A"] * 51)],
    "too_large": [posted(b'{"a": {"products": []}}', max_order_bytes=5)],
    "page_too_large": [
        page(OrderSize(1, 5, 10), OrderSize(2, 5, 10)),
        page(OrderSize(1, 1, 500), OrderSize(2, 1, 401)),
    ],
    "too_deep": [posted(b'{"a": [[[]]]}', max_nesting=2)],
    "not_storable": [
        order(comment="\0"),
        sent(json.dumps(WHOLE)[:-1] + ', "extraAttributes": {"a": 1e200000}}'),
    ],
    "unknown_value": [order(createdFromOrigin={"type": "gift", "id": 1})],
    "unknown_field": [sent(json.dumps({**WHOLE, "poNummer": 1}), strict=True), asked(("stockItem", "5"))],
    "sent_twice": [asked(("sku", "A"), ("sku", "B")), posted(b'{"a": {}, "a": {}}')],
    "not_valid": [lambda: list(faults_of(ValidationError({"a": ["is odd"]}), {"a": 1}))],
    "market_unknown": [order(market="Mars"), order(marketId=99)],
    "country_without_market": [order(address={**ADDRESS, "country": "JP"})],
    "market_not_allowed": [order(market="America")],
    "pricelist_unknown": [order(pricelist="Gold"), order(pricelistId=99)],
    "currency_mismatch": [order(currency="SEK"), order(currency="JPY")],
    "allocation_rule_unknown": [order(warehouseGroup="Moon")],
    "warehouse_unknown": [lambda: list(resolve_counts([COUNT], {"7": {1: "A"}}, {}).faults)],
    "account_unknown": [order(accountId=99)],
    "buyer_unknown": [order(accountId=7, buyerId=99)],
    "buyer_without_account": [order(buyerId=1)],
    "delivery_window_unknown": [order(deliveryWindow="SS99")],
    "shipping_unknown": [order(shippingList="camel")],
    "shipping_without_price": [order(shippingList="express")],
    "order_unknown": [
        order(createdFromOrigin={"type": "order", "id": 5}),
        lambda: [no_such_order("5")],
    ],
    "voucher_unknown": [order(voucherCodes=["NOPE"])],
    "voucher_repeated": [order(voucherCodes=["TEN", "TEN"])],
    "voucher_not_in_currency": [order(voucherCodes=["GIFT"], pricelist="SEK")],
    "voucher_below_minimum": [order(voucherCodes=["HUGE"])],
    "voucher_inactive": [
        order(voucherCodes=["ASLEEP"]),
        order(voucherCodes=["ASLEEP"], market="Mars"),
        order(voucherCodes=["ASLEEP"], poNumber=5),
    ],
    "voucher_not_yet": [order(voucherCodes=["EARLY"]), order(voucherCodes=["EARLY"], poNumber=5)],
    "voucher_over": [order(voucherCodes=["LATE"]), order(voucherCodes=["LATE"], poNumber=5)],
    "voucher_not_in_market": [order(voucherCodes=["ABROAD"]), order(voucherCodes=["ABROAD"], poNumber=5)],
    "voucher_used_up": [order(voucherCodes=["GIFT"])],
    "total_too_large": [line(qty=2, unitPrice=999_999_999_999, sku=None, ean="7310000000017")],
    "already_completed": [lambda: [already_shipping("Moon")]],
    "given_up": [lambda: list(given_up(5).faults)],
    "too_slow": [lambda: list(too_slow(10).faults)],
    "not_stored": [lambda: list(could_not_be_stored("r-1").faults)],
    "item_unknown": [line(sku="NO-LAMP"), line(ean="1"), line(id=99)],
    "item_ambiguous": [
        line(ean="7310000000024"),
        lambda: list(resolve_counts([COUNT], {"7": {1: "A", 2: "B"}}, {"Moon": 1}).faults),
    ],
    "item_inactive": [line(sku="OLD-CLOCK")],
    "item_not_in_market": [line(sku="SNOW-GLOBE")],
    "price_missing": [line(sku="GLASS-OWL")],
    "customer_unknown": [order(customerId=99)],
    "number_taken": [order(orderNumber=77)],
    "number_repeated": [repeated_number],
    "stock_short": [line(qty=6)],
}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_reason_is_made_by_something_that_clients_do(name: str) -> None:
    for made in CASES[name]:
        faults = [fault for fault in made() if fault.reason.name == name]

        assert faults, [fault.reason.name for fault in made()]
        for fault in faults:
            assert fault.reason is BY_NAME[name]
            assert tuple(fault.params) == fault.reason.params
            json.dumps(fault.params)


def test_there_is_no_case_of_a_reason_that_is_not_in_the_list() -> None:
    assert CASES.keys() == BY_NAME.keys()


def test_a_reason_is_one_plain_word_and_no_two_are_the_same() -> None:
    assert len(BY_NAME) == len(REASONS)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in BY_NAME)


def test_no_fault_is_made_with_a_reason_that_is_not_in_the_list() -> None:
    for path in (path for part in ("api", "shared", "worker") for path in (ROOT / part).rglob("*.py")):
        if path.name not in {"reasons.py", "outcome.py"}:
            calls = (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call))
            assert not [call.lineno for call in calls if ast.unparse(call.func) == "Reason"], path


def test_no_schema_of_orders_or_stock_says_what_is_wrong_without_a_reason() -> None:
    for path in (p for p in (ROOT / "shared/schemas").rglob("*.py") if p.parent.name != "catalog"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "ValidationError":
                (told,) = call.args
                assert not isinstance(told, ast.Constant | ast.JoinedStr), f"{path}:{call.lineno}"


def test_the_document_describes_every_reason() -> None:
    described = ANSWERS["Fault"]["properties"]["reason"]["oneOf"]

    assert [one["const"] for one in described] == list(BY_NAME)


def row(reason: Reason) -> str:
    params = ", ".join(f"`{name}`" for name in reason.params)
    return f"| {int(reason.code)} | `{reason.name}` | {reason.means} | {params} |"


def test_the_manual_has_every_reason() -> None:
    table = "\n".join(["| code | reason | means | params |", "|---|---|---|---|", *map(row, REASONS)])

    assert table in (ROOT / "docs/reasons.md").read_text("utf-8"), f"put this into docs/reasons.md:\n{table}"
