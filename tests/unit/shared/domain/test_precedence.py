"""When several codes apply, the first in contract §3's order wins: every pair that can meet, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.catalog import index_catalog
from shared.domain.decide import Placement
from shared.domain.outcome import Code, Rejected
from shared.domain.resolve import prepare
from shared.domain.vouchers import Voucher
from shared.schemas.order.reading import OrderReader
from tests.support.domain_shop import ACCOUNT, TABLES, decided, snapshot, stock

Order = dict[str, Any]

KRONOR = Voucher(9, "KRONOR", "Kronor", automatic=False, amounts={"SEK": Decimal("50.00")})
CONTRACTS_ORDER = [Code(code) for code in (-3, -4, -7, -1, -6, -5, -2)]


def sane() -> Order:
    return {
        "address": {"country": "SE", "email": "eva@example.com"},
        "products": [{"sku": "BRASS-LAMP", "qty": 1}],
    }


def add_line(order: Order, **line: Any) -> None:
    order["products"].append(line)


NEEDS_LINES: list[Callable[[Order], Any]] = [
    lambda order: order.update(voucherCodes=["HUGE"]),
    lambda order: order.update(shippingValue=999_999_999_999.99),
]
"""Faults that only show once every line has its price."""

FAULTS: dict[Code, list[Callable[[Order], Any]]] = {
    Code.EMPTY: [lambda order: order.update(products=[]), lambda order: order.pop("products")],
    Code.MISSING: [
        lambda order: order["address"].pop("email"),
        lambda order: add_line(order, sku="RED-STOOL"),
        lambda order: add_line(order, qty=1),
        lambda order: (order.pop("address"), order.update(accountId=8)),
    ],
    Code.GENERAL: [
        lambda order: order.update(poNumber=5),
        lambda order: order.update(marketId=99),
        lambda order: order.update(deliveryWindow="SS99"),
        lambda order: order.update(voucherCodes=["NOPE"]),
        lambda order: order.update(shippingList="express"),
        lambda order: order.update(currency="SEK"),
        lambda order: order.update(voucherCodes=["KRONOR"]),
        lambda order: order.update(voucherCodes=["GIFT"]),
        lambda order: add_line(order, sku="RED-STOOL", qty=0),
        *NEEDS_LINES,
    ],
    Code.PRODUCT: [
        lambda order: add_line(order, sku="NO-LAMP", qty=1),
        lambda order: add_line(order, sku="OLD-CLOCK", qty=1),
    ],
    Code.CUSTOMER: [lambda order: order.update(customerId=99)],
    Code.NUMBER_TAKEN: [lambda order: order.update(orderNumber=77)],
    Code.STOCK: [lambda order: add_line(order, sku="RED-STOOL", qty=9)],
}
# Without lines nothing can be wrong with one.
APART = {frozenset({Code.EMPTY, Code.PRODUCT}), frozenset({Code.EMPTY, Code.STOCK})}

PAIRS = [
    pytest.param(first, second, i, j, id=f"{first:d} before {second:d} ({i}, {j})")
    for first, second in combinations(CONTRACTS_ORDER, 2)
    if frozenset({first, second}) not in APART
    for i, one in enumerate(FAULTS[first])
    for j in range(len(FAULTS[second]))
    if second is not Code.PRODUCT or one not in NEEDS_LINES
]


CATALOG_WITH_KRONOR = index_catalog(1, replace(TABLES, vouchers=[*TABLES.vouchers, KRONOR]))


def judged(order: Order) -> Placement | Rejected:
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=10, strict=False)
    parsed = reader.read(json.dumps(order).encode())
    nobody = replace(ACCOUNT, id=8, address=None)
    seen = snapshot(CATALOG_WITH_KRONOR, taken_numbers=frozenset({77}), accounts={7: ACCOUNT, 8: nobody})
    found = prepare(parsed, seen, repeated=False)
    (decision,) = decided(found, available=stock(lamp_main=5, stool_main=1))
    return decision


def test_the_order_that_the_faults_are_made_in_is_right_without_them() -> None:
    assert isinstance(judged(sane()), Placement)


@pytest.mark.parametrize("code", CONTRACTS_ORDER)
def test_each_fault_alone_has_its_code(code: Code) -> None:
    for spoil in FAULTS[code]:
        order = sane()
        spoil(order)

        rejected = judged(order)

        assert isinstance(rejected, Rejected)
        assert rejected.code is code


@pytest.mark.parametrize(("first", "second", "i", "j"), PAIRS)
def test_of_two_codes_the_contracts_first_wins(first: Code, second: Code, i: int, j: int) -> None:
    order = sane()
    # A line can only be added while there are some.
    FAULTS[second][j](order)
    FAULTS[first][i](order)

    rejected = judged(order)

    assert isinstance(rejected, Rejected)
    assert rejected.code is first
    assert {fault.code for fault in rejected.faults} == {first}


def test_all_faults_of_the_code_that_wins_are_told_at_once() -> None:
    order = sane()
    for spoil in (*FAULTS[Code.GENERAL], *FAULTS[Code.PRODUCT]):
        spoil(order)
    order["voucherCodes"] = ["NOPE", "KRONOR", "GIFT"]
    order.pop("marketId")

    rejected = judged(order)

    assert isinstance(rejected, Rejected)
    assert {fault.pointer for fault in rejected.faults} == {
        "/poNumber",
        "/deliveryWindow",
        "/voucherCodes/0",
        "/voucherCodes/1",
        "/voucherCodes/2",
        "/currency",
        "/products/1/qty",
    }
