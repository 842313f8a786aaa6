"""Contract §6, row by row: what each parameter takes, and what it refuses with which code, pointer and words.

To tick the contract's table off, read ``ROWS``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from marshmallow import Schema, fields

from shared.domain.order import MOST_NUMBER, MOST_QUANTITY, OrderRequest
from shared.domain.outcome import Code
from shared.domain.parsed import Parsed
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.reading import OrderReader

STOCKHOLM = ZoneInfo("Europe/Stockholm")
READER = OrderReader(zone=STOCKHOLM, max_lines=1000, strict=False)

WHOLE_ORDER: dict[str, Any] = {
    "address": {
        "email": "eva@example.com",
        "country": "US",
        "state": "CA",
        "firstName": "Eva",
        "lastName": "Smith",
        "tele": "031-1",
        "cell": "070-1",
        "attn": "Bo",
        "address": "12 Alto Road",
        "coaddress": "c/o Peter",
        "city": "San Francisco",
        "zipcode": "90212",
    },
    "products": [
        {
            "qty": 2,
            "id": 10,
            "ean": "731",
            "upc": "31",
            "sku": "BRASS-LAMP",
            "unitPrice": 14.11,
            "originalPrice": 100.11,
            "comment": "gift",
            "itemText": {
                "sku": "S",
                "brand": "B",
                "product": "P",
                "variant": "V",
                "size": "M",
                "localizedProdSize": {"localizedSize": "38", "localizationDefinitionName": "EU"},
            },
        }
    ],
    "pricelistId": 1,
    "pricelist": "EUR",
    "currency": "EUR",
    "marketId": 1,
    "market": "Europe",
    "customerRegister": True,
    "customerId": 5,
    "customerSetNewPassword": True,
    "createdFromOrigin": {"type": "return", "id": 9},
    "extraAttributes": {"a": 1},
    "accountId": 7,
    "buyerId": 1,
    "buyerName": "Eva",
    "deliveryWindow": "AW27",
    "shippingList": "standard",
    "shippingValue": "4.90",
    "voucherValue": 1,
    "voucherCodes": ["TEN"],
    "applyVouchers": False,
    "orderNumber": 77,
    "sendEmail": True,
    "adjustStock": False,
    "forceCreate": True,
    "comment": "hello",
    "internalComment": "hm",
    "poNumber": "PO-1",
    "orderDate": "2026-11-23",
    "deliveryDate": "2026-11-24",
    "cancelDate": "2026-11-25",
    "warehouseGroup": "Default",
    "createOnly": True,
    "internalOrder": True,
    "payment": {
        "id": 3,
        "auth": {
            "status": 1,
            "amount": "5.00",
            "response": "fine",
            "transaction": "t-1",
            "method": "card",
            "external_url": "https://pay.example.com/t-1",
        },
        "capture": {
            "status": 1,
            "amount": "5.00",
            "response": "fine",
            "transaction": "t-2",
            "method": "card",
            "external_url": "https://pay.example.com/t-2",
        },
    },
}


@dataclass(frozen=True)
class Kind:
    """A type of contract §6: JSON texts that it takes with what they mean, and those that it refuses."""

    takes: list[tuple[str, Any]]
    refuses: list[tuple[str, Code, str]]
    """The text, the code, and how the value shows in the message."""

    required: bool = False


def _wrong_types(*texts: str) -> list[tuple[str, Code, str]]:
    shown = {"[1]": "[…]", '{"a":1}': "{…}", "[]": "[]", "{}": "{}"}
    return [(text, Code.GENERAL, shown.get(text, text)) for text in texts]


def whole(least: int, most: int, *, required: bool = False) -> Kind:
    empty = [('""', Code.MISSING, "is required")] if required else []
    return Kind(
        [("2", 2), ('"2"', 2), ("2.0", 2), ('"2.0"', 2), ('"+2"', 2), ("2e0", 2), (str(least), least)],
        [
            *_wrong_types("true", "[1]", '{"a":1}', "2.5"),
            ('"2.5"', Code.GENERAL, "'2.5'"),
            ('"x"', Code.GENERAL, "'x'"),
            ('"٢"', Code.GENERAL, "'٢'"),
            ("1e400", Code.GENERAL, "1E+400"),
            ("1e99999999999999999999", Code.GENERAL, "1e99999999999999999999"),
            ("9" * 5000, Code.GENERAL, "9999"),
            (str(least - 1), Code.GENERAL, f"{least - 1} is not in {least}..{most}"),
            (str(most + 1), Code.GENERAL, f"{most + 1} is not in {least}..{most}"),
            *empty,
        ],
        required,
    )


def money(*, required: bool = False) -> Kind:
    empty = [('""', Code.MISSING, "is required")] if required else []
    return Kind(
        [
            ("14.11", Decimal("14.11")),
            ('"14.11"', Decimal("14.11")),
            ("14", Decimal("14.00")),
            ("14.1", Decimal("14.10")),
            ("14.1100", Decimal("14.11")),
            ("1.4e1", Decimal("14.00")),
            ("0", Decimal("0.00")),
            ("-0.0", Decimal("0.00")),
            ("0e400", Decimal("0.00")),
            ("999999999999.999", Decimal("999999999999.999")),
            # Whether its currency has so many decimals is seen once that is known.
            ("14.115", Decimal("14.115")),
            ('"14.1155"', Decimal("14.1155")),
        ],
        [
            *_wrong_types("true", "[1]", "{}", "14.1234567890123456", "-0.01"),
            ('"14.1234567890123456"', Code.GENERAL, "'14.1234567890123456'"),
            ('"-0.01"', Code.GENERAL, "'-0.01'"),
            ("1e400", Code.GENERAL, "1E+400"),
            ("1e-400", Code.GENERAL, "1E-400"),
            ("1e99999999999999999999", Code.GENERAL, "1e99999999999999999999"),
            ("9" * 5000, Code.GENERAL, "9999"),
            ('"abc"', Code.GENERAL, "'abc'"),
            ('"NaN"', Code.GENERAL, "'NaN'"),
            ('"Infinity"', Code.GENERAL, "'Infinity'"),
            ('"1,50"', Code.GENERAL, "'1,50'"),
            ('" 1"', Code.GENERAL, "' 1'"),
            ("1000000000000", Code.GENERAL, "1000000000000"),
            ("999999999999.9991", Code.GENERAL, "999999999999.9991"),
            *empty,
        ],
        required,
    )


FLAG = Kind(
    [
        *((text, True) for text in ("true", "1", '"true"', '"1"', '"True"')),
        *((text, False) for text in ("false", "0", '"false"', '"0"', '"FALSE"')),
    ],
    [
        *_wrong_types("2", "-1", "1.0", "[]", "{}"),
        ('"yes"', Code.GENERAL, "'yes'"),
        ('" "', Code.GENERAL, "' '"),
    ],
)


def _moment(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, …


DATE = Kind(
    [
        ('"2026-11-23"', _moment(2026, 11, 22, 23)),
        ('"2026-07-01"', _moment(2026, 6, 30, 22)),
        ('"2026-11-23 12:30:15"', _moment(2026, 11, 23, 11, 30, 15)),
        ('"2026-11-23T12:30:15"', _moment(2026, 11, 23, 11, 30, 15)),
        ('"2026-11-23T12:30:15Z"', _moment(2026, 11, 23, 12, 30, 15)),
        ('"2026-11-23T12:30:15+05:30"', _moment(2026, 11, 23, 7, 0, 15)),
        ('"2026-11-23 12:30:15-08:00"', _moment(2026, 11, 23, 20, 30, 15)),
        ('"2026-11-23 12:30:15 +0530"', _moment(2026, 11, 23, 7, 0, 15)),
        ('"2026-11-23T12:30:15.25Z"', _moment(2026, 11, 23, 12, 30, 15, 250_000)),
        ('"2028-02-29"', _moment(2028, 2, 28, 23)),
    ],
    [
        *_wrong_types("5", "true", "[]", "{}"),
        ('"2026-02-30"', Code.GENERAL, "'2026-02-30'"),
        ('"2026-13-01"', Code.GENERAL, "'2026-13-01'"),
        ('"2026-11-23x12:30:15"', Code.GENERAL, "'2026-11-23x12:30:15'"),
        ('"2026-11-23 25:00:00"', Code.GENERAL, "'2026-11-23 25:00:00'"),
        ('"23/11/2026"', Code.GENERAL, "'23/11/2026'"),
        ('"0000-00-01"', Code.GENERAL, "'0000-00-01'"),
        ('"9999-12-31T23:59:59-14:00"', Code.GENERAL, "'9999-12-31T23:59:59-14:00'"),
        ('"tomorrow"', Code.GENERAL, "'tomorrow'"),
        ('"2026-11-23 12:30:15 +9999"', Code.GENERAL, "+9999'"),
    ],
)


def text(most: int = 255, *, filled: bool = False) -> Kind:
    return Kind(
        [
            ('"X"', "X"),
            ('"Åsa  Öberg\\n"', "Åsa  Öberg\n"),
            (json.dumps("x" * most), "x" * most),
            (json.dumps("😀" * most), "😀" * most),
            *([] if filled else [('""', "")]),
        ],
        [
            *_wrong_types("5", "2.5", "true", "[1]", "{}"),
            (json.dumps("x" * (most + 1)), Code.GENERAL, f"has {most + 1} characters; {most} are the most"),
            ('"a\\u0000b"', Code.GENERAL, "'a\\x00b' holds U+0000"),
            *([('"  "', Code.GENERAL, "is empty")] if filled else []),
        ],
    )


EMAIL = Kind(
    [('"eva@example.com"', "eva@example.com"), ('"Eva.S+x@Exämple.com"', "Eva.S+x@Exämple.com")],
    [
        *_wrong_types("5", "true", "[1]", "{}"),
        ('"eva"', Code.GENERAL, "'eva'"),
        ('"eva@"', Code.GENERAL, "'eva@'"),
        ('"@example.com"', Code.GENERAL, "'@example.com'"),
        ('"eva@localhost"', Code.GENERAL, "'eva@localhost'"),
        ('"eva@example.com\\n"', Code.GENERAL, "'eva@example.com\\n'"),
        ('"a@b@example.com"', Code.GENERAL, "'a@b@example.com'"),
        (json.dumps("x" * 250 + "@example.com"), Code.GENERAL, "has 262 characters"),
        ('""', Code.MISSING, "is required"),
        ('"  "', Code.MISSING, "is required"),
    ],
    required=True,
)
COUNTRY = Kind(
    [('"SE"', "SE"), ('"JP"', "JP")],
    [
        *_wrong_types("5", "true", "[1]", "{}"),
        ('"XX"', Code.GENERAL, "'XX'"),
        ('"se"', Code.GENERAL, "'se' is not an ISO 3166 alpha-2 country code; write 'SE'"),
        ('"SWE"', Code.GENERAL, "'SWE'"),
        ('"Sweden"', Code.GENERAL, "'Sweden' is not an ISO 3166 alpha-2 country code; write 'SE'"),
        ('"Narnia"', Code.GENERAL, "'Narnia'"),
        (json.dumps("S" * 1000), Code.GENERAL, "SSSS"),
        ('""', Code.MISSING, "is required"),
    ],
    required=True,
)
CURRENCY = Kind(
    [('"EUR"', "EUR"), ('"JPY"', "JPY")],
    [
        *_wrong_types("5", "true", "[1]", "{}"),
        ('"XXY"', Code.GENERAL, "'XXY' is not an ISO 4217 currency code"),
        ('"eur"', Code.GENERAL, "'eur' is not an ISO 4217 currency code; write 'EUR'"),
        (json.dumps("E" * 1000), Code.GENERAL, "EEEE"),
    ],
)
ORIGIN = Kind(
    [('"return"', "return"), ('"order"', "order"), ('"plugin"', "plugin")],
    [
        *_wrong_types("5", "true", "[]"),
        ('"gift"', Code.GENERAL, "'gift' is not one of return, order, plugin"),
        ('"x\\u0007"', Code.GENERAL, "'x\\x07'"),
        ('""', Code.MISSING, "is required"),
    ],
    required=True,
)
ATTRIBUTES = Kind(
    [
        ('{"gift": true, "weight": 1.50, "list": [1, {"a": null}]}', "kept"),
        ("{}", {}),
        ('{"keep": "x", "drop": ""}', {"keep": "x"}),
    ],
    [
        *_wrong_types("5", "true", "[1]"),
        ('"x"', Code.GENERAL, "'x'"),
        ('{"a": "\\u0000"}', Code.GENERAL, "'\\x00' holds U+0000"),
        ('{"\\u0000": 1}', Code.GENERAL, "'\\x00' holds U+0000"),
        ('{"a": 1e200000}', Code.GENERAL, "1E+200000"),
        ('{"a": 1e99999999999999999999}', Code.GENERAL, "1e99999999999999999999"),
        ('{"a": ' + "9" * 5000 + "}", Code.GENERAL, "9999"),
        (json.dumps({"a": "x" * 50_001}), Code.GENERAL, "50000 characters are the most"),
        (json.dumps({str(i): 1 for i in range(201)}), Code.GENERAL, "201 members; 200 are the most"),
    ],
)
CODES = Kind(
    [
        ('["TEN", "GIFT"]', ("TEN", "GIFT")),
        ('{"0": "TEN", "2": "GIFT"}', ("TEN", "GIFT")),
        ("[]", ()),
        ("{}", ()),
    ],
    [
        ("5", Code.GENERAL, "5 is not an array"),
        ('"TEN"', Code.GENERAL, "'TEN' is not an array"),
        ('{"a": "TEN"}', Code.GENERAL, "{…} is not an array"),
        (json.dumps(["X"] * 51), Code.GENERAL, "50"),
    ],
)
LINES = Kind(
    [],
    [
        ("5", Code.GENERAL, "5 is not an array"),
        ('"x"', Code.GENERAL, "'x' is not an array"),
        ('{"a":1}', Code.GENERAL, "{…} is not an array"),
        ("null", Code.EMPTY, "no lines"),
        ("[]", Code.EMPTY, "no lines"),
    ],
)


_TEXT = text()
STATE = Kind(
    [one for one in _TEXT.takes if one[0] != '""'],
    [*_TEXT.refuses, ('""', Code.MISSING, "is required for country 'US'")],
)


def emptiable(kind: Kind) -> Kind:
    """The same, but an empty string is the same as absent: one of id, EAN and SKU will do."""
    return Kind(
        [*(one for one in kind.takes if one[0] != '""'), ('""', None)],
        [one for one in kind.refuses if one[0] != '""'],
    )


@dataclass(frozen=True)
class Row:
    """A parameter: where it stands, of which kind it is, and where its value ends up."""

    pointer: str
    kind: Kind
    read: Callable[[OrderRequest], Any]


def _address(name: str, kind: Kind) -> Row:
    return Row(f"/address/{name}", kind, lambda order: order.invoice and order.invoice.fields.get(name))


def _printed(path: str) -> Row:
    def read(order: OrderRequest) -> Any:
        found: Any = order.lines[0].item_text or {}
        for step in path.split("/"):
            found = found.get(step) or {} if step == "localizedProdSize" else found.get(step)
        return found

    return Row(f"/products/0/itemText/{path}", text(), read)


def _payment(path: str, kind: Kind) -> Row:
    def read(order: OrderRequest) -> Any:
        found: Any = order.payment
        for step in path.split("/"):
            found = found.get(step)
        return found

    return Row(f"/payment/{path}", kind, read)


def _transaction(of: str) -> list[Row]:
    return [
        _payment(f"{of}/status", whole(0, 2, required=True)),
        _payment(f"{of}/amount", money(required=True)),
        _payment(f"{of}/response", text(5000)),
        _payment(f"{of}/transaction", text()),
        _payment(f"{of}/method", text()),
        _payment(f"{of}/external_url", text(2000)),
    ]


ID = whole(1, MOST_QUANTITY)
NUMBER = whole(1, MOST_NUMBER)
OBJECT = Kind([], [*_wrong_types("5", "true", "[1]"), ('"x"', Code.GENERAL, "'x'")])

ROWS = [
    Row("/address", OBJECT, lambda order: order.invoice),
    _address("email", EMAIL),
    _address("country", COUNTRY),
    _address("state", STATE),
    *(
        _address(name, text())
        for name in (
            "firstName",
            "lastName",
            "tele",
            "cell",
            "attn",
            "address",
            "coaddress",
            "city",
            "zipcode",
        )
    ),
    Row("/products", LINES, lambda order: order.lines),
    Row("/products/0", OBJECT, lambda order: order.lines[0]),
    Row("/products/0/qty", whole(1, MOST_QUANTITY, required=True), lambda order: order.lines[0].quantity),
    Row("/products/0/id", emptiable(NUMBER), lambda order: order.lines[0].item_id),
    Row("/products/0/ean", emptiable(text()), lambda order: order.lines[0].ean),
    Row("/products/0/upc", emptiable(text()), lambda order: order.lines[0].upc),
    Row("/products/0/sku", emptiable(text()), lambda order: order.lines[0].sku),
    Row("/products/0/unitPrice", money(), lambda order: order.lines[0].unit_price),
    Row("/products/0/originalPrice", money(), lambda order: order.lines[0].original_price),
    Row("/products/0/comment", text(5000), lambda order: order.lines[0].comment),
    Row("/products/0/itemText", OBJECT, lambda order: order.lines[0].item_text),
    *(_printed(name) for name in ("sku", "brand", "product", "variant", "size")),
    Row("/products/0/itemText/localizedProdSize", OBJECT, lambda order: order.lines[0].item_text),
    _printed("localizedProdSize/localizedSize"),
    _printed("localizedProdSize/localizationDefinitionName"),
    Row("/pricelistId", ID, lambda order: order.names.pricelist_id),
    Row("/pricelist", text(filled=True), lambda order: order.names.pricelist),
    Row("/currency", CURRENCY, lambda order: order.names.currency),
    Row("/marketId", ID, lambda order: order.names.market_id),
    Row("/market", text(filled=True), lambda order: order.names.market),
    Row("/customerRegister", FLAG, lambda order: order.customer_register),
    Row("/customerId", NUMBER, lambda order: order.names.customer_id),
    Row("/customerSetNewPassword", FLAG, lambda order: order.customer_set_new_password),
    Row("/createdFromOrigin", OBJECT, lambda order: order.names.origin),
    Row("/createdFromOrigin/type", ORIGIN, lambda o: o.names.origin and o.names.origin.type),
    Row(
        "/createdFromOrigin/id",
        whole(1, MOST_NUMBER, required=True),
        lambda o: o.names.origin and o.names.origin.id,
    ),
    Row("/extraAttributes", ATTRIBUTES, lambda order: order.extra_attributes),
    Row("/accountId", ID, lambda order: order.names.account_id),
    Row("/buyerId", ID, lambda order: order.names.buyer_id),
    Row("/buyerName", text(), lambda order: order.buyer_name),
    Row("/deliveryWindow", text(filled=True), lambda order: order.names.delivery_window),
    Row("/shippingList", text(filled=True), lambda order: order.names.shipping_uri),
    Row("/shippingValue", money(), lambda order: order.shipping_value),
    Row("/voucherValue", money(), lambda order: order.voucher_value),
    Row("/voucherCodes", CODES, lambda order: order.names.voucher_codes),
    Row("/applyVouchers", FLAG, lambda order: order.apply_vouchers),
    Row("/orderNumber", NUMBER, lambda order: order.order_number),
    Row("/sendEmail", FLAG, lambda order: order.send_email),
    Row("/adjustStock", FLAG, lambda order: order.adjust_stock),
    Row("/forceCreate", FLAG, lambda order: order.force_create),
    Row("/comment", text(5000), lambda order: order.comment),
    Row("/internalComment", text(5000), lambda order: order.internal_comment),
    Row("/poNumber", text(), lambda order: order.po_number),
    Row("/orderDate", DATE, lambda order: order.order_date),
    Row("/deliveryDate", DATE, lambda order: order.delivery_date),
    Row("/cancelDate", DATE, lambda order: order.cancel_date),
    Row("/warehouseGroup", text(filled=True), lambda order: order.names.warehouse_group),
    Row("/createOnly", FLAG, lambda order: order.create_only),
    Row("/internalOrder", FLAG, lambda order: order.internal_order),
    Row("/payment", OBJECT, lambda order: order.payment),
    _payment("id", ID),
    Row("/payment/auth", OBJECT, lambda order: order.payment),
    *_transaction("auth"),
    Row("/payment/capture", OBJECT, lambda order: order.payment),
    *_transaction("capture"),
]

_HOLE = "7d1f0c7e-the-value-goes-here"


def with_value(pointer: str, value: str | None) -> bytes:
    """The whole order as JSON, with a JSON text at a pointer; None: without that member."""
    order = copy.deepcopy(WHOLE_ORDER)
    *steps, last = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
    parent: Any = order
    for step in steps:
        parent = parent[step]
    if value is None:
        del parent[last]
    else:
        parent[last] = _HOLE
    return json.dumps(order).replace(json.dumps(_HOLE), value or "").encode()


def read(pointer: str, value: str | None) -> Parsed:
    return READER.read(with_value(pointer, value))


def _shortened(value: str) -> str:
    return value if len(value) <= 30 else f"{value[:20]}… of {len(value)}"


def _taken() -> Iterator[Any]:
    for row in ROWS:
        for sent, value in row.kind.takes:
            yield pytest.param(row, sent, value, id=f"{row.pointer} {_shortened(ascii(sent))}")


def _refused() -> Iterator[Any]:
    for row in ROWS:
        for sent, code, shown in row.kind.refuses:
            yield pytest.param(row, sent, code, shown, id=f"{row.pointer} {_shortened(ascii(sent))}")


def test_an_order_of_all_parameters_has_no_fault() -> None:
    parsed = READER.read(json.dumps(WHOLE_ORDER).encode())

    assert parsed.faults == ()
    assert parsed.request is not None
    assert parsed.request.names == parsed.names


@pytest.mark.parametrize(("row", "sent", "value"), list(_taken()))
def test_a_parameter_takes_each_of_its_forms(row: Row, sent: str, value: Any) -> None:
    parsed = read(row.pointer, sent)

    assert parsed.faults == ()
    assert parsed.request is not None
    found = row.read(parsed.request)
    if value == "kept":
        value = {"gift": True, "weight": Decimal("1.50"), "list": [1, {"a": None}]}
    assert (found, str(found)) == (value, str(value))
    assert type(found) is type(value)


@pytest.mark.parametrize(("row", "sent", "code", "shown"), list(_refused()))
def test_a_parameter_refuses_each_bad_value(row: Row, sent: str, code: Code, shown: str) -> None:
    parsed = read(row.pointer, sent)

    told = [fault for fault in parsed.faults if fault.code is code]
    assert parsed.request is None
    assert [fault.pointer for fault in told] == [row.pointer]
    assert shown in told[0].msg
    assert len(told[0].msg) < 250
    assert told[0].msg.isprintable()


# An element of an array cannot be absent.
@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.pointer != "/products/0"], ids=lambda row: row.pointer
)
def test_null_is_the_same_as_absent(row: Row) -> None:
    with_null, without = read(row.pointer, "null"), read(row.pointer, None)

    assert with_null == without
    if row.kind.required:
        missing = [fault.pointer for fault in with_null.faults if fault.code is Code.MISSING]
        assert missing == [row.pointer]
    elif row.pointer == "/products":
        assert [fault.code for fault in with_null.faults] == [Code.EMPTY]
    elif row.pointer == "/address/state":
        assert [fault.code for fault in with_null.faults] == [Code.MISSING]
    else:
        assert with_null.faults == ()


def _declared(schema: Schema, pointer: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        here = f"{pointer}/{name}"
        yield here
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            at = f"{here}/0" if isinstance(field, fields.List) else here
            if at != here:
                yield at
            assert isinstance(inner.schema, Schema)
            yield from _declared(inner.schema, at)


def test_every_parameter_that_is_declared_has_its_row() -> None:
    declared = set(_declared(OrderSchema(zone=STOCKHOLM, max_lines=1)))

    # Three addresses of one make, and two sizes.
    size = "/products/0/localizedProdSize"
    others = {p for p in declared if p.startswith(("/invoiceAddress", "/deliveryAddress", size))}
    same = (
        p.replace("invoiceA", "a").replace("deliveryA", "a").replace("/0/l", "/0/itemText/l") for p in others
    )
    assert set(same) <= declared
    assert declared - others == {row.pointer for row in ROWS}


def test_every_parameter_is_described() -> None:
    def undescribed(schema: Schema, pointer: str = "") -> Iterator[str]:
        for name, field in schema.fields.items():
            if not str(field.metadata.get("description", "")).endswith("."):
                yield f"{pointer}/{name}"
            inner = field.inner if isinstance(field, fields.List) else field
            if isinstance(inner, fields.Nested):
                assert isinstance(inner.schema, Schema)
                yield from undescribed(inner.schema, f"{pointer}/{name}")

    assert list(undescribed(OrderSchema(zone=STOCKHOLM, max_lines=1))) == []
