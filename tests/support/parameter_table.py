"""Contract §6, row by row: the forms that each parameter takes, what stands in for it, and what it refuses.

A row's ``pointer`` is where the parameter stands in the order. ``takes`` has each form that it may be sent in
and what is then read back; ``absent`` is what is read back when it is not sent (``null`` is the same), or the
code that refuses the order; ``refuses`` has the bad values with their codes. What is read back goes by the
names of GET /v1/orders, with a dot before each member or place inside.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.orders import ADDRESS, line, order

ABSENT: Any = object()
MISSING = -4
GENERAL = -7

TAKEN_NUMBER = 5001
"""The number, and 1 the customer, of an order that is there before all others."""


@dataclass(frozen=True)
class Valid:
    """A form that is accepted, other members that go with it, and what is read back."""

    sent: Any
    told: dict[str, Any]
    beside: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refuses:
    """A value that is not accepted, the code, what the message names, and where it is told if not there."""

    sent: Any
    code: int = GENERAL
    named: str | None = None
    at: str | None = None
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the message must name: as written in the table, else the value's own start."""
        if self.named is not None:
            return self.named
        if isinstance(self.sent, str):
            return ascii(self.sent[:20])[:-1]
        if isinstance(self.sent, list | dict):
            return {list: "[", dict: "{"}[type(self.sent)]
        return orjson.dumps(self.sent).decode()


@dataclass(frozen=True)
class Absent:
    """The code that refuses an order without the parameter, and where it is told if not at its own place."""

    code: int
    pointer: str


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    pointer: str
    takes: list[Valid]
    absent: dict[str, Any] | Absent
    refuses: list[Refuses]
    base: dict[str, Any] = field(default_factory=order)

    def order(self, sent: Any, beside: dict[str, Any] | None = None) -> dict[str, Any]:
        """An order with this value at the parameter's place, or without the parameter."""
        made = deepcopy({**self.base, **(beside or {})})
        *steps, last = self.pointer.split("/")[1:]
        at: Any = made
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
        if sent is ABSENT:
            at.pop(last, None)
        else:
            at[last] = sent
        return made


def written(json: str) -> orjson.Fragment:
    """A value exactly as JSON has it."""
    return orjson.Fragment(json)


def bad(*values: Any) -> list[Refuses]:
    """Values that are refused as such."""
    return [Refuses(value) for value in values]


# -- what a type refuses, whatever the parameter ------------------------------------------------------------


def text(most: int, *, required: bool = False, filled: bool = False) -> list[Refuses]:
    wrong = bad(5, 1.5, True, [], {"a": 1}, "x" * (most + 1), "a\0b")
    wrong.append(Refuses("é" * (most + 1), named=str(most)))
    if required or filled:
        wrong.append(Refuses("  ", MISSING if required else GENERAL, named=""))
    if required:
        wrong.append(Refuses("", MISSING, named=""))
    return wrong


def whole(least: int, most: int = 2**31 - 1, *, required: bool = False) -> list[Refuses]:
    return [
        *bad(least - 1, most + 1, str(most + 1), 2.5, "2.5", "two", " 2", True, []),
        Refuses(written("1e400"), named="1E+400"),
        Refuses(written("2.0000001"), named="2.0000001"),
        *([Refuses("", MISSING, named="")] if required else []),
    ]


def money(*, required: bool = False) -> list[Refuses]:
    return [
        *bad(14.115, -0.01, "-0.01", "abc", "1e400", "NaN", "1,50", True, {}),
        Refuses(1_000_000_000_000, named="999999999999.999"),
        Refuses("9999999999.999", named="9999999999.999"),
        Refuses(written("1e400"), named="1E+400"),
        Refuses(written("1e-400"), named="1E-400"),
        Refuses(written("1" * 2_000), named="11111"),
        *([Refuses("", MISSING, named="")] if required else []),
    ]


def flag() -> list[Refuses]:
    return bad("yes", " ", 2, -1, [], {})


def moment() -> list[Refuses]:
    no_days = bad("2026-02-30", "2026-13-01", "10000-01-01", "01/02/2026", "tomorrow", "20270131512")
    no_times = bad("2026-01-01 25:00:00", "2026-01-01X12:00:00", "2026-01-01T12:00:00 Mars/Olympus")
    return [*no_days, *no_times, *bad(20260101, 2026.5, True, [])]


def thing() -> list[Refuses]:
    return bad(5, "x", True, [{}])


# -- the forms that a type may take -------------------------------------------------------------------------


def as_sent(told: str, *values: Any) -> list[Valid]:
    return [Valid(value, {told: value}) for value in values]


def counted(told: str, value: int) -> list[Valid]:
    return [Valid(form, {told: value}) for form in (value, str(value), float(value), f"{value}.0")]


def priced(told: str) -> list[Valid]:
    forms = {0: 0, "0.00": 0, 7: 7, 7.5: 7.5, "7.25": 7.25, "7.10": 7.1}
    return [Valid(form, {told: value}) for form, value in forms.items()]


def flagged(told: str) -> list[Valid]:
    yes = [Valid(form, {told: True}) for form in (True, 1, "true", "1", "TRUE")]
    return [*yes, *(Valid(form, {told: False}) for form in (False, 0, "false", "0"))]


def dated(told: str) -> list[Valid]:
    forms = {
        "2027-01-31": "2027-01-31T00:00:00+01:00",
        "2027-07-31": "2027-07-31T00:00:00+02:00",
        "2027-01-31 18:30:00": "2027-01-31T18:30:00+01:00",
        "2027-01-31T18:30:00": "2027-01-31T18:30:00+01:00",
        "2027-01-31T23:30:00Z": "2027-02-01T00:30:00+01:00",
        "2027-01-31T18:30:00-05:00": "2027-02-01T00:30:00+01:00",
        "2028-02-29": "2028-02-29T00:00:00+01:00",
        "9999-12-31": "9999-12-31T00:00:00+01:00",
    }
    return [Valid(form, {told: value}) for form, value in forms.items()]


# -- the rows -----------------------------------------------------------------------------------------------

SCRIPTS = ("Zoë Åström", "李 小龍", "Дмитрий", "محمد", "ญาดา", "O'Neil-Núñez", "🛋️", " spaced ", "")
UNNAMED = {"products": [{"qty": 1}]}
TWO_ADDRESSES = {
    "invoiceAddress": {**ADDRESS, "city": "Åre"},
    "deliveryAddress": {"country": "DE", "email": "d@example.com", "city": "Köln"},
    "products": [line()],
}
PAID = order(
    payment={"id": 4, "auth": {"status": 1, "amount": 5}, "capture": {"status": 2, "amount": 6}},
)
PRINTED = order(line(itemText={"localizedProdSize": {}}))


def _told_as(parent: str, field_name: str) -> list[str]:
    capital = field_name[0].upper() + field_name[1:]
    of = {"address": ["billing", "delivery"], "invoiceAddress": ["billing"], "deliveryAddress": ["delivery"]}
    return [f"{one}{capital}" for one in of[parent]]


def _address_rows(parent: str, base: dict[str, Any]) -> list[Row]:
    def told(name: str, value: Any) -> dict[str, Any]:
        return dict.fromkeys(_told_as(parent, name), value)

    wrong_emails = ("x", "x@", "@example.com", "a b@example.com", "x@exam_ple", "x@-a.com", "x@a..com")
    emails = ("eva@example.com", "Eva.O+shop@Example.COM", "用户@例え.jp", "o'neil@xn--bcher-kva.example")
    return [
        Row(
            f"/{parent}/email",
            [
                Valid(email, told("email", email))
                for email in (*emails, *(("n/a",) if parent == "deliveryAddress" else ()))
            ],
            told("email", None) if parent == "deliveryAddress" else Absent(MISSING, f"/{parent}/email"),
            [
                # On a delivery address beside another one it is not used.
                *bad(*(() if parent == "deliveryAddress" else wrong_emails), 5, [], "a\0b@example.com"),
                Refuses(f"{'x' * 250}@example.com", named="262"),
                *([] if parent == "deliveryAddress" else [Refuses("", MISSING, named="")]),
            ],
            base,
        ),
        Row(
            f"/{parent}/country",
            [Valid("DE", told("country", "DE")), Valid("SE", told("country", "SE"))],
            Absent(MISSING, f"/{parent}/country"),
            [
                *bad("XX", "se", "SWE", "Sweden", 5, [], "S\0"),
                Refuses("", MISSING, named=""),
            ],
            base,
        ),
        Row(
            f"/{parent}/state",
            as_sent(_told_as(parent, "state")[0], "Jämtland", ""),
            told("state", None),
            text(255),
            base,
        ),
        *(
            Row(
                f"/{parent}/{name}",
                as_sent(_told_as(parent, name)[0], *SCRIPTS, "x" * 255),
                told(name, None),
                text(255),
                base,
            )
            for name in (
                *("firstName", "lastName", "tele", "cell", "attn", "address", "coaddress", "city"),
                "zipcode",
            )
        ),
    ]


def _without(base: dict[str, Any], *names: str) -> dict[str, Any]:
    left = deepcopy(base)
    address = left.get("address") or left.get("invoiceAddress") or {}
    for name in names:
        address.pop(name, None)
    return left


ADDRESSES = [
    Row(
        "/address",
        [
            Valid(
                {"country": "DE", "email": "d@example.com", "city": "Köln"},
                {
                    "billingCountry": "DE",
                    "deliveryCountry": "DE",
                    "billingCity": "Köln",
                    "deliveryCity": "Köln",
                },
            )
        ],
        Absent(MISSING, "/address"),
        thing(),
    ),
    Row(
        "/invoiceAddress",
        [Valid({"country": "SE", "email": "i@example.com"}, {"billingEmail": "i@example.com"})],
        {"billingCity": "Köln", "deliveryCity": "Köln"},
        thing(),
        TWO_ADDRESSES,
    ),
    Row(
        "/deliveryAddress",
        [Valid({"country": "DE", "city": "Bonn"}, {"deliveryCity": "Bonn", "deliveryEmail": None})],
        {"billingCity": "Åre", "deliveryCity": "Åre"},
        thing(),
        TWO_ADDRESSES,
    ),
    *_address_rows("address", order()),
    *_address_rows("invoiceAddress", _without(TWO_ADDRESSES, "city")),
    *_address_rows(
        "deliveryAddress", {**TWO_ADDRESSES, "deliveryAddress": {"country": "DE"}, "market": "Europe"}
    ),
    Row(
        "/address/state",
        as_sent("deliveryState", "CA"),
        Absent(MISSING, "/address/state"),
        [Refuses(empty, MISSING, named="US") for empty in ("", " ")],
        order(address={"country": "US", "email": "x@example.com"}),
    ),
]

LINES = [
    Row(
        "/products",
        [
            Valid([line(), line("TIN-KETTLE")], {"products.1.sku": "TIN-KETTLE", "products.1.line": 1}),
            Valid({"3": line(), "1": line("TIN-KETTLE")}, {"products.1.sku": "TIN-KETTLE"}),
        ],
        Absent(-3, "/products"),
        [
            Refuses([], -3, named=""),
            *bad(5, "x", {"a": line()}),
            Refuses([line()] * 10_000, named="10000"),
            Refuses([5], named="5", at="/products/0"),
            Refuses([line(), None], named="null", at="/products/1"),
        ],
    ),
    Row(
        "/products/0/qty",
        [*counted("products.0.qty", 2), Valid(1, {"products.0.qty": 1, "products.0.totalPrice": 50.22})],
        Absent(MISSING, "/products/0/qty"),
        [*whole(1, required=True), Refuses(-1), Refuses(0)],
    ),
    Row(
        "/products/0/id",
        [
            *counted("products.0.itemId", 11),
            Valid(11, {"products.0.sku": "RED-STOOL"}, {"products": [line("RED-STOOL", ean="7302")]}),
        ],
        Absent(MISSING, "/products/0"),
        [
            *(one for one in whole(1, 2**53 - 1) if one.sent != ""),
            Refuses("", MISSING, named="", at="/products/0"),
            Refuses(99, -1),
            Refuses(11, -1, "RED-STOOL", "/products/0", {"products": [line("BRASS-LAMP")]}),
        ],
        {**order(), **UNNAMED},
    ),
    Row(
        "/products/0/ean",
        as_sent("products.0.ean", "7301", "ABCDEFGHIJKL"),
        Absent(MISSING, "/products/0"),
        [*text(255), Refuses("7399", -1), Refuses("", MISSING, named="", at="/products/0")],
        {**order(), **UNNAMED},
    ),
    Row(
        "/products/0/upc",
        [
            Valid("711719814153", {"products.0.sku": "UPC-CLOCK"}),
            Valid("0711719814153", {"products.0.sku": "UPC-CLOCK"}),
            Valid("7301", {"products.0.sku": "BRASS-LAMP"}),
        ],
        Absent(MISSING, "/products/0"),
        [*text(255), Refuses("", MISSING, named="", at="/products/0")],
        {**order(), **UNNAMED},
    ),
    Row(
        "/products/0/sku",
        [
            *as_sent("products.0.sku", "BRASS-LAMP", "KRONAN-BIKE-BLUE-M"),
            Valid("SKUASKUBSKUC", {"products.0.itemId": 17}),
        ],
        Absent(MISSING, "/products/0"),
        [
            *text(255),
            Refuses("", MISSING, named="", at="/products/0"),
            *(Refuses(sku, -1) for sku in ("NO-LAMP", "brass-lamp")),
            *(Refuses(sku, -1, at="/products/0") for sku in ("OLD-CLOCK", "SNOW-GLOBE", "GLASS-OWL")),
        ],
        {**order(), **UNNAMED},
    ),
    Row(
        "/products/0/unitPrice",
        [
            *priced("products.0.price"),
            Valid(9999999990.1, {"products.0.price": 9999999990.1}),
            Valid(14.11, {"products.0.priceDiscount": 5.89, "products.0.originalPrice": 20}),
        ],
        {"products.0.price": 18, "products.0.originalPrice": 20, "products.0.priceDiscount": 2},
        [*money(), Refuses(999_999_999_999.99, named="1000000000004.89", at="")],
        order(line("RED-STOOL"), adjustStock=False),
    ),
    Row(
        "/products/0/originalPrice",
        [
            *priced("products.0.originalPrice"),
            Valid(100.11, {"products.0.priceDiscount": 86, "totalItemsPrice": 14.11}),
        ],
        {"products.0.originalPrice": 50.22, "products.0.price": 14.11},
        money(),
        order(line(unitPrice=14.11)),
    ),
    Row(
        "/products/0/comment",
        as_sent("products.0.comment", *SCRIPTS, "line\nbreak\ttab", "x" * 5_000),
        {"products.0.comment": None},
        text(5_000),
    ),
    Row(
        "/products/0/itemText",
        [
            Valid(
                {"sku": "S", "brand": "B", "product": "P", "variant": "", "size": "38"},
                {
                    "products.0.sku": "S",
                    "products.0.brand": "B",
                    "products.0.name": "P",
                    "products.0.variant": "",
                    "products.0.size": "38",
                    "products.0.itemSku": "BRASS-LAMP",
                },
            ),
            Valid({}, {"products.0.sku": "BRASS-LAMP"}),
        ],
        {"products.0.sku": "BRASS-LAMP", "products.0.name": "Lamp", "products.0.itemText": None},
        thing(),
    ),
    *(
        Row(
            f"/products/0/itemText/{name}",
            as_sent(f"products.0.itemText.{name}", *SCRIPTS, "x" * 255),
            {f"products.0.{told}": ours},
            text(255),
            PRINTED,
        )
        for name, told, ours in (
            ("sku", "sku", "BRASS-LAMP"),
            ("brand", "brand", "Kronan"),
            ("product", "name", "Lamp"),
            ("variant", "variant", "Brass"),
            ("size", "size", "One size"),
        )
    ),
    Row(
        "/products/0/itemText/localizedProdSize",
        as_sent(
            "products.0.itemText.localizedProdSize",
            {"localizedSize": "5½", "localizationDefinitionName": "UK"},
        ),
        {"products.0.size": "One size"},
        thing(),
        PRINTED,
    ),
    *(
        Row(
            f"/products/0/itemText/localizedProdSize/{name}",
            as_sent(f"products.0.itemText.localizedProdSize.{name}", *SCRIPTS, "x" * 255),
            {"products.0.size": "One size"},
            text(255),
            PRINTED,
        )
        for name in ("localizedSize", "localizationDefinitionName")
    ),
    Row(
        "/products/0/localizedProdSize",
        as_sent(
            "products.0.itemText.localizedProdSize",
            {"localizedSize": "5½", "localizationDefinitionName": "UK"},
        ),
        {"products.0.itemText": None},
        thing(),
    ),
    *(
        Row(
            f"/products/0/localizedProdSize/{name}",
            as_sent(f"products.0.itemText.localizedProdSize.{name}", *SCRIPTS, "x" * 255),
            {"products.0.size": "One size"},
            text(255),
            order(line(localizedProdSize={})),
        )
        for name in ("localizedSize", "localizationDefinitionName")
    ),
]

PLACES = [
    Row(
        "/currency",
        [
            Valid("EUR", {"orderCurrency": "EUR"}),
            Valid("", {"orderCurrency": "EUR"}),
            Valid("USD", {"orderCurrency": "USD"}, {"pricelist": "USD"}),
        ],
        {"orderCurrency": "EUR"},
        [
            *bad(5, True, [], "XXY"),
            Refuses("eur", named="write 'EUR'"),
            Refuses("SEK", named="name one that is in SEK ('SEK')"),
            Refuses("JPY", named="none is in JPY"),
        ],
    ),
    Row(
        "/pricelistId",
        [
            *counted("pricelistId", 2),
            Valid(
                2, {"pricelist": "USD", "orderCurrency": "USD", "products.0.price": 60, "shippingValue": 0}
            ),
            Valid(3, {"pricelist": "SEK", "shippingValue": 49, "grandTotalValue": 549}),
            Valid(2, {"pricelist": "USD"}, {"pricelist": "SEK"}),
        ],
        {"pricelistId": 1, "pricelist": "EUR", "orderCurrency": "EUR", "products.0.price": 50.22},
        [*whole(1), Refuses(99), Refuses(99, beside={"pricelist": "EUR"})],
    ),
    Row(
        "/pricelist",
        as_sent("pricelist", "USD", "SEK", "EUR"),
        {"pricelist": "EUR"},
        [*text(255, filled=True), Refuses("NOK"), Refuses("usd")],
    ),
    Row(
        "/marketId",
        [
            *counted("marketId", 2),
            Valid(2, {"market": "America", "pricelist": "USD", "warehouseGroup": "Apart"}),
            Valid(2, {"market": "America"}, {"market": "Europe"}),
        ],
        {"marketId": 1, "market": "Europe"},
        [*whole(1), Refuses(99), Refuses(99, beside={"market": "Europe"})],
    ),
    Row(
        "/market",
        as_sent("market", "America", "Europe"),
        # That of the delivery country, whatever the invoice says.
        {"market": "America", "warehouseGroup": "Apart", "orderCurrency": "USD"},
        [*text(255, filled=True), Refuses("Asia"), Refuses("europe")],
        {
            "invoiceAddress": ADDRESS,
            "deliveryAddress": {"country": "US", "state": "CA"},
            "products": [line()],
        },
    ),
    Row(
        "/warehouseGroup",
        as_sent("warehouseGroup", "Apart", "Later", "Default"),
        {"warehouseGroup": "Default"},
        [*text(255, filled=True), Refuses("Nowhere")],
    ),
    Row(
        "/shippingList",
        [
            Valid("express", {"shippingList": "express", "shippingValue": 19}),
            Valid("ground", {"shippingList": "ground", "shippingValue": 3}, {"shippingValue": 3}),
        ],
        {"shippingList": "standard", "shippingValue": 4.9, "grandTotalValue": 55.12},
        [*text(255, filled=True), Refuses("pigeon"), Refuses("ground", named="EUR")],
    ),
    Row(
        "/shippingValue",
        [*priced("shippingValue"), Valid(7.5, {"grandTotalValue": 57.72, "shippingList": "standard"})],
        {"shippingValue": 4.9},
        money(),
    ),
]

PEOPLE = [
    Row(
        "/customerRegister",
        [*flagged("customerRegistered"), Valid(True, {"customerRegistered": True})],
        {"customerRegistered": False},
        flag(),
    ),
    Row(
        "/customerId",
        [*counted("customerId", 1), Valid(1, {"customerId": 1}, {"customerRegister": True})],
        {"customerRegistered": False},
        [*whole(1, 2**53 - 1), Refuses(999_999, -6)],
    ),
    Row(
        "/customerSetNewPassword",
        flagged("customerSetNewPassword"),
        {"customerSetNewPassword": False},
        flag(),
    ),
    Row(
        "/accountId",
        [
            *counted("accountId", 7),
            Valid(7, {"buyerId": 1, "buyerName": "Eva", "billingEmail": ADDRESS["email"]}),
        ],
        {"accountId": None, "buyerId": None, "buyerName": None},
        [*whole(1), Refuses(99)],
    ),
    Row(
        "/buyerId",
        [*counted("buyerId", 2), Valid(2, {"buyerName": "Adam"})],
        {"buyerId": 1, "buyerName": "Eva"},
        [*whole(1), Refuses(5), Refuses(2, named="accountId", beside={"accountId": None})],
        order(accountId=7),
    ),
    Row(
        "/buyerName",
        [*as_sent("buyerName", *SCRIPTS, "x" * 255), Valid("Bo", {"buyerId": 1, "buyerName": "Bo"})],
        {"buyerName": "Eva"},
        text(255),
        order(accountId=7),
    ),
    Row(
        "/deliveryWindow",
        [
            Valid("AW27", {"deliveryWindow": "AW27", "products.0.warehouses": []}),
            Valid("Now", {"deliveryWindow": "Now", "products.0.warehouses.0.itemQty": 1}),
        ],
        {"deliveryWindow": None},
        [*text(255, filled=True), Refuses("SS99")],
        order(accountId=7),
    ),
]

REDUCTIONS = [
    Row(
        "/voucherValue",
        [
            *priced("voucherValue"),
            Valid(5.12, {"grandTotalValue": 50}),
            Valid(999, {"voucherValue": 55.12, "grandTotalValue": 0}),
        ],
        {"voucherValue": 0, "grandTotalValue": 55.12},
        money(),
    ),
    Row(
        "/voucherCodes",
        [
            Valid(
                ["TEN"], {"voucherValue": 5.02, "vouchers.0.code": "TEN", "vouchers.0.name": "Ten percent"}
            ),
            Valid(["GIFT", "TEN"], {"voucherValue": 10.02, "vouchers.1.code": "TEN"}),
            Valid(["ten"], {"voucherValue": 5.02, "vouchers.0.code": "TEN"}),
            Valid({"0": "GIFT", "7": "TEN"}, {"voucherValue": 10.02, "vouchers.1.code": "TEN"}),
            Valid([], {"voucherValue": 0, "vouchers": []}),
        ],
        {"voucherValue": 0, "vouchers": []},
        [
            *bad(5, "TEN", {"a": "TEN"}, True),
            Refuses(["NOPE"], named="NOPE", at="/voucherCodes/0"),
            Refuses(["TEN", "ten"], named="ten", at="/voucherCodes/1"),
            Refuses(["TEN", "TEN"], named="TEN", at="/voucherCodes/1"),
            Refuses(["SPENT"], named="SPENT", at="/voucherCodes/0"),
            Refuses(["FROM-500"], named="500.00 EUR", at="/voucherCodes/0"),
            Refuses([5], named="5", at="/voucherCodes/0"),
            Refuses([None], named="null", at="/voucherCodes/0"),
            Refuses([""], named="", at="/voucherCodes/0"),
            Refuses(["a\0b"], named="a\\x00b", at="/voucherCodes/0"),
            Refuses(["x" * 256], named="256", at="/voucherCodes/0"),
            Refuses(["TEN"] * 51, named="51"),
            Refuses(["GIFT"], named="USD", at="/voucherCodes/0", beside={"pricelist": "USD"}),
        ],
    ),
    Row(
        "/applyVouchers",
        [
            Valid(form, {"voucherValue": value, "applyVouchers": value > 0})
            for form, value in ((True, 25), (1, 25), ("true", 25), (False, 0), (0, 0), ("false", 0))
        ],
        {"applyVouchers": True, "voucherValue": 25, "vouchers.0.name": "Over 1000", "vouchers.0.code": None},
        flag(),
        order(line(qty=20)),
    ),
]

HANDLING = [
    Row(
        "/createdFromOrigin",
        [
            Valid({"type": "order", "id": TAKEN_NUMBER}, {"createdFromOrigin.id": TAKEN_NUMBER}),
            Valid({"type": "return", "id": "77"}, {"createdFromOrigin": {"type": "return", "id": 77}}),
            Valid({"type": "plugin", "id": 77.0}, {"createdFromOrigin": {"type": "plugin", "id": 77}}),
        ],
        {"createdFromOrigin": None},
        [*thing(), Refuses({"type": "order", "id": 99_999}, named="99999", at="/createdFromOrigin/id")],
    ),
    Row(
        "/createdFromOrigin/type",
        as_sent("createdFromOrigin.type", "return", "order", "plugin"),
        Absent(MISSING, "/createdFromOrigin/type"),
        [
            *bad("exchange", "Order", 5, [], "a\0b"),
            Refuses("", MISSING, named=""),
        ],
        order(createdFromOrigin={"id": TAKEN_NUMBER}),
    ),
    Row(
        "/createdFromOrigin/id",
        counted("createdFromOrigin.id", 77),
        Absent(MISSING, "/createdFromOrigin/id"),
        whole(1, 2**53 - 1, required=True),
        order(createdFromOrigin={"type": "return"}),
    ),
    Row(
        "/extraAttributes",
        [
            Valid(
                {"a": 1, "b": [True, None, {"c": "å"}]},
                {"extraAttributes": {"a": 1, "b": [True, None, {"c": "å"}]}},
            ),
            Valid({"a": "x", "removed": ""}, {"extraAttributes": {"a": "x"}}),
            Valid({}, {"extraAttributes": {}}),
            Valid({"": 0.1, "ключ": -1e20}, {"extraAttributes": {"": 0.1, "ключ": -1e20}}),
        ],
        {"extraAttributes": None},
        [
            *thing(),
            Refuses({"a\0": 1}, named="a\\x00"),
            Refuses({"a": ["b\0"]}, named="b\\x00"),
            Refuses({str(i): i for i in range(201)}, named="201"),
            Refuses({"a": "x" * 50_001}, named="50000"),
            Refuses({"a": written("1e21")}, named="1E+21"),
        ],
    ),
    Row(
        "/orderNumber",
        [Valid(9001, {"orderId": 9001}), Valid("9002", {"orderId": 9002}), Valid(9003.0, {"orderId": 9003})],
        {"siblings": []},
        [*whole(1, 2**53 - 1), Refuses(TAKEN_NUMBER, -5), Refuses(str(TAKEN_NUMBER), -5, named="5001")],
    ),
    Row("/sendEmail", flagged("sendEmail"), {"sendEmail": None}, flag()),
    Row(
        "/adjustStock",
        [
            *flagged("adjustStock"),
            Valid(False, {"products.0.warehouses": [], "products.0.backOrdered": 0}),
        ],
        {"adjustStock": True, "products.0.warehouses.0": {"name": "Main", "itemQty": 1}},
        flag(),
    ),
    Row(
        "/forceCreate",
        [
            *flagged("forceCreate"),
            Valid(
                True,
                {"products.0.backOrdered": 2, "products.0.warehouses": []},
                {"products": [line("SOLD-OUT-VASE", 2)]},
            ),
            Valid(
                True,
                {"products.0.itemId": None, "products.0.itemSku": "NO-LAMP", "products.0.backOrdered": 1},
                {"products": [line("NO-LAMP", unitPrice=1)]},
            ),
        ],
        {"forceCreate": False},
        [
            *flag(),
            Refuses(
                False, -2, "2 wanted, 0 available", "/products/0", {"products": [line("SOLD-OUT-VASE", 2)]}
            ),
        ],
    ),
    Row("/comment", as_sent("comment", *SCRIPTS, "x" * 5_000), {"comment": None}, text(5_000)),
    Row(
        "/internalComment",
        as_sent("internalComment", *SCRIPTS, "x" * 5_000),
        {"internalComment": None},
        text(5_000),
    ),
    Row("/poNumber", as_sent("poNumber", *SCRIPTS, "x" * 255), {"poNumber": None}, text(255)),
    Row("/orderDate", dated("orderDate"), {"comment": None}, moment()),
    Row("/deliveryDate", dated("deliveryDate"), {"deliveryDate": None}, moment()),
    Row("/cancelDate", dated("cancelDate"), {"cancelDate": None}, moment()),
    Row(
        "/createOnly",
        [
            *(
                Valid(form, {"state": "prepared", "products.0.warehouses": []})
                for form in (True, 1, "true", "1")
            ),
            *(Valid(form, {"state": "created"}) for form in (False, 0, "false", "0")),
        ],
        {"state": "created", "products.0.warehouses.0.itemQty": 1},
        flag(),
    ),
    Row("/internalOrder", flagged("internalOrder"), {"internalOrder": False}, flag()),
]

PAYMENTS = [
    Row(
        "/payment",
        [
            Valid({"id": 4}, {"payment": {"id": 4, "auth": None, "capture": None}}),
            Valid({"auth": {"status": 0, "amount": 0}}, {"payment.id": None, "payment.auth.status": 0}),
            Valid({}, {"payment": None}),
        ],
        {"payment": None, "payments": []},
        thing(),
    ),
    Row("/payment/id", counted("payment.id", 4), {"payment.id": None}, whole(1), PAID),
    *(
        row
        for kind in ("auth", "capture")
        for row in (
            Row(
                f"/payment/{kind}",
                [
                    Valid(
                        {"status": 2, "amount": 1.5},
                        {f"payment.{kind}.status": 2, f"payment.{kind}.amount": 1.5},
                    )
                ],
                {f"payment.{kind}": None},
                thing(),
                PAID,
            ),
            Row(
                f"/payment/{kind}/status",
                [*counted(f"payment.{kind}.status", 0), *counted(f"payment.{kind}.status", 2)],
                Absent(MISSING, f"/payment/{kind}/status"),
                whole(0, 2, required=True),
                PAID,
            ),
            Row(
                f"/payment/{kind}/amount",
                [
                    *priced(f"payment.{kind}.amount"),
                    Valid(999_999_999_999.99, {f"payment.{kind}.amount": 999_999_999_999.99}),
                ],
                Absent(MISSING, f"/payment/{kind}/amount"),
                money(required=True),
                PAID,
            ),
            *(
                Row(
                    f"/payment/{kind}/{name}",
                    as_sent(f"payment.{kind}.{name}", *SCRIPTS, "x" * most),
                    {f"payment.{kind}.{name}": None},
                    text(most),
                    PAID,
                )
                for name, most in (
                    ("response", 5_000),
                    ("transaction", 255),
                    ("method", 255),
                    ("external_url", 2_000),
                )
            ),
        )
    ),
]

TABLE: list[Row] = [*ADDRESSES, *LINES, *PLACES, *PEOPLE, *REDUCTIONS, *HANDLING, *PAYMENTS]
