"""Reading a batch: what is kept as sent, and what is refused as a whole."""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
import weakref
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.body.batch import Batch, read_batch, read_single
from api.web.errors import ApiError
from shared.settings import Settings

SETTINGS = Settings(max_orders=5, max_key_chars=20, max_nesting=8)


def read(body: bytes, *, by_line: bool = False, settings: Settings = SETTINGS) -> Batch:
    return read_batch(bytearray(body), by_line=by_line, settings=settings)


def error_of(body: bytes, *, by_line: bool = False, settings: Settings = SETTINGS) -> ApiError:
    with pytest.raises(ApiError) as raised:
        read(body, by_line=by_line, settings=settings)
    return raised.value


def test_orders_keep_their_own_bytes_and_their_order() -> None:
    batch = read(b'{"z": { "qty" : 1.50 }, "a":[1, 2], "m":null, "\\u0061b":1e400}')

    assert batch.keys == ["z", "a", "m", "ab"]
    assert [bytes(order) for order in batch.orders] == [b'{ "qty" : 1.50 }', b"[1, 2]", b"null", b"1e400"]


def test_an_empty_object_is_a_batch_of_no_orders() -> None:
    assert read(b" {} ").keys == []


@pytest.mark.parametrize(
    "key", ["", "\x00", "🛒🛒", "__proto__", "a\r\nSet-Cookie: x", "caf\u00e9", "cafe\u0301", '"\\/']
)
def test_any_string_is_a_key(key: str) -> None:
    assert read(json.dumps({key: 1}).encode()).keys == [key]
    assert read(json.dumps({key: 1}, ensure_ascii=False).encode()).keys == [key]


@given(st.dictionaries(st.text(max_size=20), st.integers() | st.text() | st.none(), max_size=5))
def test_whatever_json_says_comes_back(orders: dict[str, object]) -> None:
    batch = read(json.dumps(orders).encode())

    assert dict(zip(batch.keys, map(json.loads, map(bytes, batch.orders)), strict=True)) == orders


def test_keys_that_differ_only_by_normalisation_are_two() -> None:
    assert read('{"caf\u00e9":1,"cafe\u0301":2}'.encode()).keys == ["caf\u00e9", "cafe\u0301"]


def test_the_same_key_twice_is_refused_by_its_name() -> None:
    refused = error_of(b'{"x1":{},"x2":{},"x1":{}}')

    assert refused.status == 400
    assert "'x1'" in refused.msg
    assert [fault.pointer for fault in refused.faults] == ["/x1"]


def test_the_same_key_written_with_an_escape_is_the_same_key() -> None:
    assert "'a'" in error_of(b'{"a":1,"\\u0061":2}').msg


def test_the_same_key_on_two_lines_is_refused_with_both_lines() -> None:
    refused = error_of(b'{"a":1}\n\n{"b":1,"c":2}\n{"c":3}', by_line=True)

    assert "The key 'c'" in refused.msg
    assert "on line 3 and again on line 4" in refused.msg


def test_an_odd_key_is_named_without_breaking_the_message() -> None:
    refused = error_of(b'{"a/\\r\\n~":1,"a/\\r\\n~":2}')

    assert r"'a/\r\n~'" in refused.msg
    assert refused.faults[0].pointer == "/a~1\r\n~0"


@pytest.mark.parametrize("by_line", [False, True])
def test_a_long_key_that_stands_twice_does_not_come_back_whole(by_line: bool) -> None:
    body = b'{"%b":1}' % (b"A" * 1_000_000)

    refused = error_of(
        body + b"\n" + body if by_line else b"{%b,%b}" % (body[1:-1], body[1:-1]), by_line=by_line
    )

    assert (refused.status, "maxKeyChars" in refused.msg) == (413, True)
    assert len(json.dumps(refused.envelope())) < 500


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b"  ", "ends too early"),
        (b'{"a":1', "ends too early"),
        (b'{"a":tru}', "invalid character at byte 6 (line 1, column 7)"),
        (b'{"a":1,\n "b":01}', "invalid number at byte 14 (line 2, column 7)"),
        (b'{"a":[1,]}', "trailing comma"),
        (b'{"a":1}x', "trailing characters"),
        (b"{'a':1}", "keys must be strings"),
        (b'{"a":NaN}', "NaN and Infinity"),
        (b'{"a":{"b":[-Infinity]}}', "NaN and Infinity"),
        (b'{"a":"\x01"}', "invalid character"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":"\xff"}', "not UTF-8: invalid start byte at byte 6"),
        (b'{"a\xc3":1}', "not UTF-8: invalid continuation byte at byte 3"),
        (b'{"a":"\xc3', "not UTF-8: unexpected end of data at byte 6"),
        (b'{"a":{"b":"\xed\xa0\x80"}}', "lone surrogate is encoded at byte 11"),
        (b'{"\\ud800":1}', "lone surrogate"),
        (b'{"a":{"b":"\\udc00"}}', "lone surrogate"),
        (b'{"a":{"b":"\\ud83dx"},"c":{"d":"and more"}}', "lone surrogate"),
        (b'{"a":{"b":"\\ud83d\\n"},"c":{"d":"and more"}}', "lone surrogate"),
        (b"[1,2]", "must be one JSON object"),
        (b"null", "must be one JSON object"),
        (b'"x"', "must be one JSON object"),
    ],
)
def test_what_is_not_a_batch_is_refused_with_what_is_wrong(body: bytes, says: str) -> None:
    refused = error_of(body)

    assert refused.status == 400
    assert says in refused.msg


def test_a_fault_after_the_first_megabyte_is_told_by_its_place() -> None:
    body = b'{"a":"' + "é".encode() * 700_001 + b'\xff"}'

    assert f"at byte {6 + 1_400_002}, after the key 'a' of order 1;" in error_of(body).msg


LARGE = b"{" + b",".join(b'"%d":{"comment":"%b","qty":1}' % (n, b"x" * 8_000) for n in range(7_500)) + b"}"
"""60 MB."""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (b"N", "NaN and Infinity are not numbers in JSON at byte %d (line 1, column %d), "),
        (b"\xff", "The body is not UTF-8: invalid start byte at byte %d, "),
    ],
)
def test_a_fault_of_one_order_of_a_large_batch_is_told_with_its_key_at_about_the_cost_of_reading_it(
    wrong: bytes, says: str
) -> None:
    settings = Settings()
    good, bad = bytearray(LARGE), bytearray(LARGE)
    at = LARGE.index(b":1}", LARGE.index(b'"7311":')) + 1
    bad[at : at + 1] = b"NaN" if wrong == b"N" else wrong

    tracemalloc.start()
    with pytest.raises(ApiError) as raised:
        read_batch(bad, by_line=False, settings=settings)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    place = says % ((at, at + 1) if "column" in says else (at,))
    assert f"{place}after the key '7311' of order 7312; " in raised.value.msg
    assert peak_bytes < len(LARGE) // 8
    assert least_seconds(bad) < 4 * least_seconds(good)


def least_seconds(body: bytearray) -> float:
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        with suppress(ApiError):
            read_batch(body, by_line=False, settings=Settings())
        taken.append(time.perf_counter() - started)
    return min(taken)


def test_too_many_orders_are_refused_with_the_limit() -> None:
    refused = error_of(json.dumps(dict.fromkeys(map(str, range(6)), 1)).encode())

    assert refused.status == 413
    assert "5 orders" in refused.msg
    assert "maxOrders" in refused.msg


def test_a_key_too_long_is_refused_with_its_length_and_the_limit() -> None:
    refused = error_of(b'{"' + b"k" * 21 + b'":1}')

    assert refused.status == 413
    assert "21 characters" in refused.msg
    assert "maxKeyChars is 20" in refused.msg
    assert read(b'{"' + "🛒".encode() * 20 + b'":1}').keys == ["🛒" * 20]


@pytest.mark.parametrize(("levels", "taken"), [(8, True), (9, False)])
def test_an_order_may_be_nested_as_deep_as_the_limit(levels: int, taken: bool) -> None:
    body = b'{"a":1,"deep":' + b"[" * levels + b"]" * levels + b"}"

    if taken:
        assert read(body).keys == ["a", "deep"]
    else:
        refused = error_of(body)
        assert refused.status == 400
        assert "'deep'" in refused.msg
        assert "8 levels" in refused.msg


def test_an_order_too_large_is_refused_with_its_size_and_the_limit() -> None:
    narrow = Settings(max_order_bytes=100)
    fits, too_large = b'"' + b"x" * 98 + b'"', b'"' + b"x" * 99 + b'"'

    assert read(b'{"a":%b,"b":%b}' % (fits, fits), settings=narrow).keys == ["a", "b"]
    refused = error_of(b'{"a":%b,"b":%b}' % (fits, too_large), settings=narrow)
    assert refused.status == 413
    assert "The order 'b' has 101 bytes, and maxOrderBytes is 100" in refused.msg
    assert [fault.pointer for fault in refused.faults] == ["/b"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "is empty"),
        (b"[1]", 400, "must be one JSON object"),
        (b'{"a":', 400, "ends too early"),
        (b'{"a":' + b"[" * 8 + b"]" * 8 + b"}", 400, "The body is nested deeper than 8 levels"),
        (b'{"a":' + b"[" * 5_000, 400, "The body is nested too deep to be read"),
        (b'{"a":"' + b"x" * 5_000 + b'"}', 413, "The body has 5008 bytes, and maxOrderBytes is 4000"),
    ],
)
def test_one_order_alone_is_refused_for_the_same_reasons(body: bytes, status: int, says: str) -> None:
    settings = Settings(max_nesting=8, max_order_bytes=4_000)
    with pytest.raises(ApiError) as raised:
        read_single(bytearray(body), "", settings=settings)

    assert raised.value.status == status
    assert says in raised.value.msg


def test_one_order_alone_is_a_batch_of_one() -> None:
    batch = read_single(bytearray(b' {"a": 1} '), "7", settings=SETTINGS)

    assert (batch.keys, bytes(batch.orders[0])) == (["7"], b'{"a": 1}')


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (b'{"qty":NaN}', "NaN and Infinity are not numbers in JSON "),
        (b'{"qty":-Infinity}', "NaN and Infinity are not numbers in JSON "),
        (b'{"sku":"\\ud800"}', "a lone surrogate is escaped "),
        (b'{"sku":"\\x41"}', "invalid escaped character "),
        (b'{"sku":"\xed\xa0\x80"}', "a lone surrogate is encoded "),
        (b'{"sku":"\xff"}', "not UTF-8: invalid start byte "),
        (b'{"qty":1,}', "trailing comma"),
        (b'{"qty" 1}', "expected ':'"),
    ],
)
@pytest.mark.parametrize("by_line", [False, True])
def test_what_is_wrong_in_the_midst_of_a_batch_is_told_with_the_key_before_it(
    wrong: bytes, says: str, by_line: bool
) -> None:
    orders = [b'{"qty":1}', b'{"qty":2}', wrong, b'{"qty":4}']
    joint = b"}\n{" if by_line else b","
    body = b"{" + joint.join(b'"k%d":%b' % (n, order) for n, order in enumerate(orders, start=1)) + b"}"

    msg = error_of(body, by_line=by_line).msg

    assert says in msg
    assert ", after the key 'k3' of order 3; " in msg


def test_no_key_is_told_where_there_is_none_before_it() -> None:
    assert "after the key" not in error_of(b'{"a\xff":1}').msg
    assert "after the key" not in error_of(b"{NaN:1}").msg
    assert "after the key" not in error_of(b'{"a":1}\n{"b', by_line=True).msg


def test_a_long_key_before_what_is_wrong_does_not_come_back_whole() -> None:
    long = b'"%b"' % (b"k" * 100_000)
    for wrong in (b"NaN", b'"\xff"', b"[" * 5_000):
        assert len(json.dumps(error_of(b"{%b:%b}" % (long, wrong)).envelope())) < 500


def test_the_key_of_an_order_that_is_too_deep_to_be_read_is_told() -> None:
    refused = error_of(b'{"a":1,"deep":' + b"[" * 5_000)

    assert (
        refused.msg == "The order 'deep' is nested too deep to be read, and maxNesting is 8; send it flatter."
    )
    assert [(fault.pointer, fault.params) for fault in refused.faults] == [("/deep", {"most": 8})]


@pytest.mark.parametrize("levels", [100, 5_000, 100_000])
def test_any_depth_is_refused_quickly(levels: int) -> None:
    started = time.perf_counter()
    refused = error_of(b'{"a":' + b'{"x":[' * levels + b"1" + b"]}" * levels + b"}")

    assert refused.status == 400
    assert "maxNesting" in refused.msg
    assert time.perf_counter() - started < 10


def test_a_million_tiny_orders_are_refused_before_they_fill_the_memory() -> None:
    started = time.perf_counter()

    assert error_of(b"{" + b'"":1,' * 1_000_000 + b'"":1}').status == 413
    assert time.perf_counter() - started < 10


def test_a_number_of_a_million_digits_is_the_orders_own_business() -> None:
    assert read(b'{"a":' + b"9" * 1_000_000 + b"}").keys == ["a"]


@pytest.mark.parametrize("text", [b'{"a":{}}', b'{"a":{},"a":{}}'], ids=["taken", "refused"])
def test_a_body_is_let_go_of_as_soon_as_nobody_reads_it(text: bytes) -> None:
    class Body(bytearray):
        """A body that can be watched."""

    body = Body(text)
    watched = weakref.ref(body)
    gc.disable()
    try:
        with suppress(ApiError):
            read_batch(body, by_line=False, settings=SETTINGS)
        del body
        assert watched() is None
    finally:
        gc.enable()


def test_lines_are_merged_in_order_and_blank_ones_are_ignored() -> None:
    batch = read(b'\r\n{"b":1}\r\n   \n {"a":{"x":2},"c":3}\n{}\n\n', by_line=True)

    assert batch.keys == ["b", "a", "c"]
    assert [bytes(order) for order in batch.orders] == [b"1", b'{"x":2}', b"3"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a":1}\n\n{"b":}', "on line 3 at byte 5 of it"),
        (b'{"a":1}\n{"b"', "it ends too early on line 2"),
        (b'{"a":1}\n[1]', "Line 2: "),
        (b'{"a":1}\n{"b":"\\ud800"}\n', "lone surrogate is escaped on line 2"),
        (b'{"a":1}\n{"b":' + b"[" * 5_000, "Line 2: "),
        (b"\n \n", "Every line is blank"),
    ],
)
def test_a_fault_of_a_line_is_told_with_the_line(body: bytes, says: str) -> None:
    refused = error_of(body, by_line=True)

    assert refused.status == 400
    assert says in refused.msg


def test_a_million_lines_of_nothing_are_refused_quickly() -> None:
    started = time.perf_counter()

    assert error_of(b"{}\n" * 1_000_000, by_line=True).status == 413
    assert error_of(b"\n \n" * 1_000_000, by_line=True).status == 400
    assert time.perf_counter() - started < 20
