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
from shared.domain.cancellation import (
    AskedCancellation,
    CancellationRequest,
    CancellingOrder,
    decide_cancellations,
)
from shared.domain.completion import Misread, already_shipping, no_such_order
from shared.domain.order_changes import NoPlace
from shared.domain.order_list import OrderSize, check_page
from shared.domain.outcome import Fault, Reason, Rejected
from shared.domain.reasons import REASONS
from shared.domain.rejections import (
    batch_rejected,
    cancelled,
    could_not_be_stored,
    given_up,
    key_exists,
    too_slow,
)
from shared.domain.resolve import prepare
from shared.domain.shipment import (
    AskedShipment,
    ShipmentRequest,
    ShippingLine,
    ShippingOrder,
    decide_shipments,
)
from shared.domain.stock_count import StockCount, resolve_counts
from shared.schemas.lists.changes import no_place
from shared.schemas.lists.stock import StockQuery
from shared.schemas.openapi.answers import ANSWERS
from shared.schemas.order.reading import OrderReader, faults_of
from shared.schemas.order.step import shipment_reader
from shared.schemas.query import read_query
from shared.settings import Settings
from tests.support.domain_shop import ACCOUNT, decided, snapshot, stock
from tests.support.orders import ADDRESS, line, order

ROOT = Path(__file__).parents[2]
BY_NAME = {reason.name: reason for reason in REASONS}
LAMP = line()
COUNT = StockCount(0, "7", 5, "Moon")

WHOLE = order()


def ordered(**changes: Any) -> Callable[[], list[Fault]]:
    """The faults of an order from Sweden for a lamp, with something changed."""
    return sent(json.dumps({**WHOLE, **changes}))


def ordered_line(**changes: Any) -> Callable[[], list[Fault]]:
    return ordered(products=[{**LAMP, **changes}])


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


def shipment(text: str) -> list[Fault]:
    read = shipment_reader(zone=ZoneInfo("UTC"), max_lines=3, named=True, strict=False).read(text.encode())
    return list(read.faults) if isinstance(read, Misread) else []


def shipping(state: str = "created", **products: int) -> list[Fault]:
    """The faults of a shipment of an order of whose three lamps one waits; ``line_7=1``: units by line."""
    line = ShippingLine(7, 0, "BRASS-LAMP", 10, 3, 1, 0, [(1, 2)])
    wanted = {int(name.removeprefix("line_")): units for name, units in products.items()}
    asked = AskedShipment(5, no_such_order(5), ShipmentRequest(wanted))
    (decision,) = decide_shipments([asked], {5: ShippingOrder(5, state, 1, {7: line})})
    return list(decision.faults) if isinstance(decision, Rejected) else []


def cancelling_what_has_shipped() -> list[Fault]:
    order = CancellingOrder(5, 5, 1, {5: "partially_shipped"}, {7: 1})
    asked = AskedCancellation(5, no_such_order(5), CancellationRequest())
    (decision,) = decide_cancellations([asked], {5: order})
    return list(decision.faults) if isinstance(decision, Rejected) else []


CASES: dict[str, list[Callable[[], list[Fault]]]] = {
    "order_empty": [ordered(products=[]), ordered(products=None)],
    "shipment_empty": [
        lambda: shipment('{"order": 5, "products": {}}'),
        lambda: shipment('{"order": 5, "products": []}'),
    ],
    "field_missing": [
        ordered(address=None),
        ordered_line(qty=None),
        ordered_line(qty=""),
        ordered(address={"country": "SE"}),
    ],
    "item_not_named": [ordered_line(sku="")],
    "account_without_address": [ordered(address=None, accountId=8)],
    "not_readable": [sent('{"products": [], "products": []}')],
    "not_object": [sent("5"), ordered(address="Storgatan 1"), ordered(extraAttributes=5)],
    "not_array": [ordered(voucherCodes="TEN"), ordered(products=5)],
    "not_text": [ordered(poNumber=5)],
    "not_whole": [ordered_line(qty=2.5), ordered_line(qty="two")],
    "not_boolean": [ordered(forceCreate="maybe")],
    "not_money": [ordered_line(unitPrice="1,50")],
    "not_date": [ordered(orderDate="2026-02-30")],
    "not_email": [ordered(address={**ADDRESS, "email": "eva"})],
    "not_country": [ordered(address={**ADDRESS, "country": "SWE"})],
    "not_currency": [ordered(currency="sek")],
    "feed_began_anew": [lambda: [no_place(NoPlace.OTHER_FEED)]],
    "not_cursor": [asked(("cursor", "x")), lambda: [no_place(NoPlace.NOT_REACHED)]],
    "is_null": [ordered(voucherCodes=[None])],
    "is_empty": [ordered(market=" ")],
    "out_of_range": [ordered_line(qty=0), ordered_line(unitPrice=-1), ordered(voucherValue=1e12)],
    "too_many_decimals": [
        ordered_line(unitPrice=0.001),
        ordered(voucherValue=0.001, poNumber=5),
        ordered(voucherValue=0.0001, market="Mars"),
    ],
    "too_long": [ordered(poNumber="x" * 256), ordered(extraAttributes={"a": "x" * 50_001})],
    "too_many": [ordered(products=[LAMP] * 4), ordered(voucherCodes=["A"] * 51)],
    "too_large": [posted(b'{"a": {"products": []}}', max_order_bytes=5)],
    "page_too_large": [
        page(OrderSize(1, 5, 10), OrderSize(2, 5, 10)),
        page(OrderSize(1, 1, 500), OrderSize(2, 1, 401)),
    ],
    "too_deep": [posted(b'{"a": [[[]]]}', max_nesting=2)],
    "not_storable": [
        ordered(comment="\0"),
        sent(json.dumps(WHOLE)[:-1] + ', "extraAttributes": {"a": 1e200000}}'),
    ],
    "unknown_value": [ordered(createdFromOrigin={"type": "gift", "id": 1})],
    "unknown_field": [sent(json.dumps({**WHOLE, "poNummer": 1}), strict=True), asked(("stockItem", "5"))],
    "sent_twice": [asked(("sku", "A"), ("sku", "B")), posted(b'{"a": {}, "a": {}}')],
    "not_valid": [lambda: list(faults_of(ValidationError({"a": ["is odd"]}), {"a": 1}))],
    "market_unknown": [ordered(market="Mars"), ordered(marketId=99)],
    "country_without_market": [ordered(address={**ADDRESS, "country": "JP"})],
    "market_not_allowed": [ordered(market="America")],
    "pricelist_unknown": [ordered(pricelist="Gold"), ordered(pricelistId=99)],
    "currency_mismatch": [ordered(currency="SEK"), ordered(currency="JPY")],
    "allocation_rule_unknown": [ordered(warehouseGroup="Moon")],
    "warehouse_unknown": [lambda: list(resolve_counts([COUNT], {"7": {1: "A"}}, {}).faults)],
    "account_unknown": [ordered(accountId=99)],
    "buyer_unknown": [ordered(accountId=7, buyerId=99)],
    "buyer_without_account": [ordered(buyerId=1)],
    "delivery_window_unknown": [ordered(deliveryWindow="SS99")],
    "shipping_unknown": [ordered(shippingList="camel")],
    "shipping_without_price": [ordered(shippingList="express")],
    "order_unknown": [
        ordered(createdFromOrigin={"type": "order", "id": 5}),
        lambda: [no_such_order("5")],
    ],
    "voucher_unknown": [ordered(voucherCodes=["NOPE"])],
    "voucher_repeated": [ordered(voucherCodes=["TEN", "TEN"])],
    "voucher_not_in_currency": [ordered(voucherCodes=["GIFT"], pricelist="SEK")],
    "voucher_below_minimum": [ordered(voucherCodes=["HUGE"])],
    "voucher_inactive": [
        ordered(voucherCodes=["ASLEEP"]),
        ordered(voucherCodes=["ASLEEP"], market="Mars"),
        ordered(voucherCodes=["ASLEEP"], poNumber=5),
    ],
    "voucher_not_yet": [ordered(voucherCodes=["EARLY"]), ordered(voucherCodes=["EARLY"], poNumber=5)],
    "voucher_over": [ordered(voucherCodes=["LATE"]), ordered(voucherCodes=["LATE"], poNumber=5)],
    "voucher_not_in_market": [ordered(voucherCodes=["ABROAD"]), ordered(voucherCodes=["ABROAD"], poNumber=5)],
    "voucher_used_up": [ordered(voucherCodes=["GIFT"])],
    "total_too_large": [ordered_line(qty=2, unitPrice=999_999_999_999, sku=None, ean="7310000000017")],
    "already_completed": [lambda: [already_shipping("Moon")]],
    "already_shipped": [cancelling_what_has_shipped],
    "order_cancelled": [lambda: shipping("cancelled", line_7=1)],
    "order_prepared": [lambda: shipping("prepared", line_7=1)],
    "line_unknown": [lambda: shipping(line_8=1)],
    "cancelled": [lambda: list(cancelled().faults)],
    "batch_rejected": [lambda: list(batch_rejected("a", 2).faults)],
    "given_up": [lambda: list(given_up(5).faults)],
    "too_slow": [lambda: list(too_slow(10).faults)],
    "not_stored": [lambda: list(could_not_be_stored("r-1").faults)],
    "item_unknown": [ordered_line(sku="NO-LAMP"), ordered_line(ean="1"), ordered_line(id=99)],
    "item_ambiguous": [
        ordered_line(ean="7310000000024"),
        lambda: list(resolve_counts([COUNT], {"7": {1: "A", 2: "B"}}, {"Moon": 1}).faults),
    ],
    "item_inactive": [ordered_line(sku="OLD-CLOCK")],
    "item_not_in_market": [ordered_line(sku="SNOW-GLOBE")],
    "price_missing": [ordered_line(sku="GLASS-OWL")],
    "customer_unknown": [ordered(customerId=99)],
    "number_taken": [ordered(orderNumber=77)],
    "number_repeated": [repeated_number],
    "key_exists": [lambda: list(key_exists("1001", [7]).faults)],
    "stock_short": [ordered_line(qty=6)],
    "back_ordered": [lambda: shipping(line_7=3)],
    "more_than_remains": [lambda: shipping(line_7=4)],
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
