"""Which order numbers a batch asks for, and which of them stand earlier in it."""

from __future__ import annotations

import msgspec
import pytest

from api.orders.duplicate_numbers import asked_numbers


def positions(*orders: bytes) -> list[int]:
    return list(asked_numbers(map(msgspec.Raw, orders)).repeated)


def numbers(*orders: bytes) -> list[int]:
    return sorted(asked_numbers(map(msgspec.Raw, orders)).numbers)


def numbered(written: str) -> bytes:
    return b'{"products":[],"orderNumber": %b ,"z":1}' % written.encode()


def test_a_number_that_stands_earlier_is_told_by_position() -> None:
    assert positions(numbered("5"), b"{}", numbered("6"), numbered("5"), numbered("5")) == [3, 4]


@pytest.mark.parametrize("written", ["5", '"5"', "5.0", "5e0", "0.5e1", "50e-1", '"005"', '"5.00"', '"+5"'])
def test_all_ways_to_write_a_number_are_the_same_number(written: str) -> None:
    assert positions(numbered("5"), numbered(written)) == [1]


@pytest.mark.parametrize(
    "written",
    ["null", "true", "5.5", "-5", "0", '""', '"5x"', '" 5"', "[5]", '{"a":5}', "1e400", "9" * 5_000, "1e99",
     "9223372036854775808", '"\u0665"'],
)  # fmt: skip
def test_what_is_no_number_is_passed_over(written: str) -> None:
    assert positions(numbered(written), numbered(written)) == []


def test_only_the_orders_own_field_counts() -> None:
    inner = b'{"extraAttributes":{"orderNumber":5},"comment":"\\"orderNumber\\":5"}'

    assert positions(inner, inner, b'["orderNumber"]', b'"orderNumber"', b"5") == []


def test_the_greatest_number_counts() -> None:
    assert positions(numbered("9223372036854775807"), numbered('"9223372036854775807"')) == [1]


def test_all_numbers_that_are_asked_for_are_told_once() -> None:
    assert numbers(numbered("9"), b"{}", numbered('"5"'), numbered("9.0"), numbered('"5x"')) == [5, 9]
    assert numbers(b"{}", b'{"comment":"\\u00e5"}') == []


@pytest.mark.parametrize("name", ["\\u006frderNumber", "order\\u004Eumber", "orderNumbe\\u0072"])
def test_a_number_whose_field_is_written_with_escapes_is_asked_for_all_the_same(name: str) -> None:
    order = b'{"%b":5}' % name.encode()

    assert numbers(order) == [5]
    assert positions(numbered("5"), order) == [1]
