"""The fast way, the thorough one and the schema read every order to the same, however it is spelt."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from bench.shapes import SHAPES, make
from shared.domain.outcome import Fault
from shared.domain.parsed import Parsed
from shared.schemas.exact_json import read_exactly
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.reading import OrderReader, faults_of
from shared.schemas.order.sent import without_holes
from shared.schemas.order.thorough_reading import ThoroughReader

TEXTS = int(os.environ.get("ORDERMILL_DIFFERENTIAL_TEXTS", "2000"))
"""How many texts are written; 100,000 in the long run."""

READERS = {
    strict: OrderReader(zone=ZoneInfo("Europe/Stockholm"), max_lines=5, strict=strict)
    for strict in (False, True)
}
WHOLE_ADDRESS: dict[str, Any] = {
    "email": "x@example.com",
    "country": "SE",
    "firstName": "Åsa",
    "zipcode": "111 22",
    "city": "Stockholm",
}
ORDER: dict[str, Any] = {
    "invoiceAddress": WHOLE_ADDRESS,
    "deliveryAddress": {"country": "US", "state": "CA", "city": "San Francisco"},
    "products": [
        {
            "sku": "BRASS-LAMP",
            "qty": 2,
            "unitPrice": 14.11,
            "originalPrice": 100,
            "itemText": {"product": "Lamp", "localizedProdSize": {"localizedSize": "38"}},
        },
        {"ean": "7300000000017", "qty": 1},
    ],
    "payment": {"id": 3, "auth": {"status": 1, "amount": "5.00"}, "capture": None},
    "extraAttributes": {"gift": True, "list": [1, {"a": None}], "weight": 1.5},
    "createdFromOrigin": {"type": "return", "id": 9},
    "voucherCodes": ["TEN"],
}
SCHEMA = OrderSchema(zone=ZoneInfo("Europe/Stockholm"), max_lines=5)
THOROUGH = ThoroughReader(SCHEMA)
PARAMETERS = sorted(SCHEMA.fields)


class Pairs(list[tuple[str, Any]]):
    """An object as its text has it: members in an order, some of them more than once."""


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return Pairs((name, _pairs(inner)) for name, inner in value.items())
    return [_pairs(inner) for inner in value] if isinstance(value, list) else value


class Number(str):
    """A number as it is spelt."""

    __slots__ = ()


NUMBERS = [
    *("0", "-0", "1", "2", "-1", "2.0", "2.5", "14.1", "14.11", "14.115", "1e0", "2E0", "1.4e1", "1e400"),
    *("0e400", "1e-400", "2147483648", "9007199254740992", "1e99999999999999999999", "9" * 5000),
]
SCALARS = st.one_of(
    st.sampled_from([Number(number) for number in NUMBERS]),
    st.sampled_from(
        [
            *(
                None,
                True,
                False,
                "",
                " ",
                "0",
                "1",
                "2",
                "2.0",
                "2.5",
                "true",
                "FALSE",
                "14.11",
                "1e2",
                "NaN",
            ),
            *("-0", "x", "SE", "se", "US", "XX", "XK", "a@example.com", "a@b", "ä@example.com", "n/a", "x@"),
            *("a@exämple.com", "a..b@example.com", 'a"b":@example.com', "x" * 255, "x" * 256, "\x00", "é"),
            *('":', '":"', '\\":', '{"a":1}', "\\", "e\u0301", "2026-02-28", "2026-02-30", "0000-00-00"),
            *("0000-00-00 00:00:00", "2026-05-29 10:15:00 +0200", "2026-05-29T10:15:00Z", "EUR", "eur"),
        ]
    ),
)
NAMES = st.one_of(
    st.sampled_from(
        [
            *(*PARAMETERS, *WHOLE_ADDRESS, "state", "qty", "id", "ean", "upc", "sku", "unitPrice", "comment"),
            *(
                "itemText",
                "localizedProdSize",
                "localizedSize",
                "auth",
                "capture",
                "status",
                "amount",
                "type",
            ),
            *("poNummer", "tax", "1", "3", "", '":', "a\\", 'b"', ":", "\x00", "å/~", "n" * 300),
        ]
    ),
    st.text(max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(st.tuples(NAMES, inner), max_size=3).map(Pairs)
    ),
    max_leaves=6,
)
ADDRESSES = [ORDER["invoiceAddress"], ORDER["deliveryAddress"], {"country": "SE"}, WHOLE_ADDRESS]


def _objects(value: Any) -> list[Pairs]:
    inner = [v for _, v in value] if isinstance(value, Pairs) else value if isinstance(value, list) else []
    return [*([value] if isinstance(value, Pairs) else []), *(o for one in inner for o in _objects(one))]


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """An order's text, spelt and misspelt in ways that clients have."""
    order = _pairs(ORDER)
    if draw(st.booleans()):
        order[:] = [(n, v) for n, v in order if not n.endswith("Address")]
        order.append(("address", _pairs(draw(st.sampled_from(ADDRESSES)))))
    if draw(st.integers(0, 3)) == 0:
        at = [name for name, _ in order].index("products")
        order[at] = ("products", Pairs((str(2 * i + 1), line) for i, line in enumerate(order[at][1])))
    for _ in range(draw(st.integers(0, 3))):
        some = draw(st.sampled_from(_objects(order)))
        change = draw(st.sampled_from(["set", "set", "double", "add", "drop", "reorder"]))
        if change == "set" and some:
            at = draw(st.integers(0, len(some) - 1))
            some[at] = (some[at][0], draw(VALUES))
        elif change == "double" and some:
            name, value = draw(st.sampled_from(some))
            some.insert(draw(st.integers(0, len(some))), (name, draw(st.one_of(st.just(value), VALUES))))
        elif change == "drop" and some:
            some.pop(draw(st.integers(0, len(some) - 1)))
        elif change == "reorder":
            some[:] = draw(st.permutations(some))
        else:
            some.append((draw(NAMES), draw(VALUES)))
    blanks = draw(st.lists(st.sampled_from(["", "", " ", "\n", "\t", "\r\n  "]), min_size=1, max_size=5))
    return _Writer(blanks, escaped=draw(st.integers(0, 5))).text(order).encode("utf-8", "surrogatepass")


class _Writer:
    """Writes JSON with white space wherever it may stand, and every n-th text in escapes."""

    def __init__(self, blanks: Sequence[str], *, escaped: int) -> None:
        self._blanks, self._escaped, self._written = blanks, escaped, 0

    def _blank(self) -> str:
        self._written += 1
        return self._blanks[self._written % len(self._blanks)]

    def _string(self, value: str) -> str:
        if self._escaped and self._written % self._escaped == 0:
            units = value.encode("utf-16-be", "surrogatepass").hex()
            return '"' + "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)) + '"'
        return json.dumps(value, ensure_ascii=False)

    def text(self, value: Any) -> str:
        """The value as JSON."""
        if isinstance(value, Number):
            written = str(value)
        elif isinstance(value, str):
            written = self._string(value)
        elif isinstance(value, Pairs):
            members = (
                f"{self._blank()}{self._string(name)}{self._blank()}:{self.text(inner)}"
                for name, inner in value
            )
            written = "{" + ",".join(members) + self._blank() + "}"
        elif isinstance(value, list):
            written = "[" + ",".join(map(self.text, value)) + self._blank() + "]"
        else:
            written = json.dumps(value)
        return f"{self._blank()}{written}{self._blank()}"


def _both(text: bytes, *, strict: bool) -> tuple[Parsed, Parsed]:
    return READERS[strict].read(text), READERS[strict].read_thoroughly(text)


@settings(max_examples=TEXTS, deadline=None)
@given(texts())
def test_both_ways_read_any_text_to_the_same_order_or_the_same_faults(text: bytes) -> None:
    twice = _stands_twice(text)
    for strict in (False, True):
        fast, thorough = _both(text, strict=strict)

        assert fast == thorough
        assert not (twice and fast.request)


@settings(max_examples=TEXTS, deadline=None)
@given(texts())
def test_the_thorough_way_tells_every_fault_that_the_schema_does_and_no_other(text: bytes) -> None:
    try:
        sent = read_exactly(text)
    except ValueError:
        return
    assume(isinstance(sent, dict))
    order, _ = without_holes(sent)
    values: dict[str, Any]
    faults: list[Fault] = []
    try:
        values = SCHEMA.load(order)
    except ValidationError as error:
        faults = list(faults_of(error, order))
        values = cast("dict[str, Any]", error.valid_data)

    read, told = THOROUGH.read(order)

    assert told == faults
    # Of lists with faults in them only codes are looked at again.
    faulty = {fault.pointer.split("/")[1] for fault in faults} & {"products"}
    assert without(read, faulty) == without(values, faulty)


def without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.mark.parametrize("products", [{"a": 1}, "a", 5, True])
def test_what_should_be_an_array_and_is_none_is_told_as_one_fault(products: Any) -> None:
    order = {"products": products, "address": {"country": "SE", "email": "x@example.com"}}

    for parsed in _both(json.dumps(order).encode(), strict=False):
        assert [(fault.pointer, fault.reason.name) for fault in parsed.faults] == [("/products", "not_array")]


def _stands_twice(text: bytes) -> bool:
    """Whether a member stands twice, by a reader that knows nothing of ours."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    json.loads(text.decode("utf-8"), object_pairs_hook=look, parse_int=str, parse_float=str)
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lines", [1, 2, 5])
def test_every_shape_that_clients_send_takes_the_fast_way(
    shape: str, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = READERS[False]
    thorough = [reader.read_thoroughly(text) for text in make(shape, 20, lines=lines).values()]
    monkeypatch.setattr(reader, "_read_thoroughly", None)

    fast = [reader.read(text) for text in make(shape, 20, lines=lines).values()]

    assert fast == thorough
    assert all(parsed.request for parsed in fast)


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("qty", b'{"qty" : 1, "qty": 9, "sku": "A"}'),
        ("unitPrice", b'{"qty":1,"sku":"A","itemText" : {"sku" :"B"},"unitPrice":14.11,"unitPrice":1.00}'),
        ("qty", b'{"qty":1,"\\u0071ty":1,"sku":"A"}'),
        ("a", b'{"qty":1,"sku":"A","x" : {"a":1,"a":2},"y":":"}'),
    ],
)
def test_a_member_that_stands_twice_is_refused_and_not_guessed(name: str, inner: bytes) -> None:
    text = b'{"products" : [' + inner + b'], "address" :\n{"country":"SE","email" : "x@example.com"}}'

    for parsed in _both(text, strict=False):
        assert parsed.request is None
        assert f"the member '{name}' stands twice" in parsed.faults[0].msg


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("comment", b'"comment":"a","comment":"b"'),
        ("comment", b'"comment":"a:b","\\u0063omment":"b"'),
        ("address", b'"address":{"country":"SE","email":"y@example.com"}'),
        ("city", b'"deliveryAddress":{"country":"SE","city":"Lund","city":"Malmo"}'),
        ("1", b'"products":{"1":{"qty":1,"sku":"A"},"1":{"qty":2,"sku":"A"}}'),
        ("id", b'"payment":{"id":1,"id":2}'),
        ("x", b'"poNummer":{"x":1,"x":1}'),
        ("poNummer", b'"poNummer":1,"poNummer":2'),
    ],
)
def test_a_member_of_any_part_that_stands_twice_is_refused(name: str, members: bytes) -> None:
    text = b'{"address":{"country":"SE","email":"x@example.com"},' + members + b"}"
    if b'"products"' not in members:
        text = text[:-1] + b',"products":[{"qty":1,"sku":"A"}]}'

    for parsed in _both(text, strict=False):
        assert parsed.request is None
        assert f"the member '{name}' stands twice" in parsed.faults[0].msg


def test_an_order_is_read_the_same_whichever_came_before_it() -> None:
    order = {"address": WHOLE_ADDRESS, "products": [{"sku": "A", "qty": 1, "tax": 3, "unitPrice": 5}]}
    text, other = json.dumps(order).encode(), json.dumps({**order, "tax": 1, "comment": "x"}).encode()
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=1, strict=False)

    read = [reader.read(one) for one in (text, other, text)]

    assert read == [reader.read_thoroughly(one) for one in (text, other, text)]
    assert [parsed.ignored for parsed in read] == [
        ("/products/0/tax",),
        ("/tax", "/products/0/tax"),
        ("/products/0/tax",),
    ]


def test_one_address_has_no_room_for_an_unknown_member_in_strict_mode() -> None:
    text = (
        b'{"products":[{"qty":1,"sku":"A"}],"address":{"country":"SE","email":"x@example.com"},'
        b'"shippingVaule":4.90}'
    )

    assert [parsed.ignored for parsed in _both(text, strict=False)] == [("/shippingVaule",)] * 2
    assert [[f.pointer for f in parsed.faults] for parsed in _both(text, strict=True)] == [
        ["/shippingVaule"]
    ] * 2


@pytest.mark.parametrize("value", ['a":b', '\\":', 'x\\\\":', ":", '":":":'])
def test_a_text_that_looks_like_members_is_none(value: str) -> None:
    text = json.dumps({"a": value, value: [value, {value: 1}]}).encode()

    assert read_exactly(text) == json.loads(text)


@pytest.mark.parametrize("email", ["x", "a b@example.com", "x@-a.com", "=?utf-8?q?x?=@example.com", "n/a"])
@pytest.mark.parametrize("name", ["address", "invoiceAddress", "deliveryAddress"])
def test_an_email_that_counts_and_is_none_is_refused_by_both_ways(name: str, email: str) -> None:
    order = {"products": [{"qty": 1, "sku": "A"}], name: {"country": "SE", "email": email}}

    fast, thorough = _both(json.dumps(order).encode(), strict=False)

    assert fast == thorough
    assert [fault.pointer for fault in fast.faults] == [f"/{name}/email"]


def test_a_price_with_a_hundred_thousand_zeros_is_read_and_not_kept() -> None:
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=1, strict=False)

    def read(cents: int) -> Parsed:
        price = f"14.{cents:02}{'0' * 100_000}"
        line = f'{{"sku": "A", "qty": 1, "unitPrice": {price}}}'
        return reader.read(f'{{"address": {json.dumps(WHOLE_ADDRESS)}, "products": [{line}]}}'.encode())

    read(0)
    tracemalloc.start()
    try:
        orders = [read(cents).request for cents in range(1, 51)]
        prices = [str(order.lines[0].unit_price) for order in orders if order]
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert prices == [f"14.{cents:02}" for cents in range(1, 51)]
    assert kept_bytes < 500_000
