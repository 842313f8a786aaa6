"""How faults become one rejection, and how a client's values may stand in a message."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.outcome import (
    MOST_ERRORS,
    MOST_ERRORS_CHARS,
    Code,
    Fault,
    field_name,
    pointer_step,
    quoted,
    reject,
)
from shared.domain.reasons import (
    CUSTOMER_UNKNOWN,
    FIELD_MISSING,
    GIVEN_UP,
    ITEM_UNKNOWN,
    NOT_OBJECT,
    NOT_TEXT,
    STOCK_SHORT,
)
from shared.domain.rejections import could_not_be_stored

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_one_fault_is_told_as_a_sentence_that_names_the_field() -> None:
    rejected = reject([Fault(ITEM_UNKNOWN, "/products/1/sku", "no item has SKU 'X'")])

    assert (rejected.code, rejected.msg) == (Code.PRODUCT, "products[1].sku: no item has SKU 'X'")
    assert not rejected.retryable


def test_a_fault_of_the_whole_order_names_no_field() -> None:
    assert reject([Fault(NOT_OBJECT, "", "the order is 5")]).msg == "the order is 5"


def test_faults_of_other_codes_are_left_out() -> None:
    stock, missing = (
        Fault(STOCK_SHORT, "/products/0", "none"),
        Fault(FIELD_MISSING, "/products/0/qty", "is required"),
    )

    rejected = reject([stock, missing])

    assert rejected.code is Code.MISSING
    assert rejected.faults == (missing,)


def test_an_order_can_be_tried_again_if_that_may_help_against_all_its_faults() -> None:
    assert reject([Fault(STOCK_SHORT, "", "")]).retryable
    assert reject([Fault(GIVEN_UP, "", "")]).retryable
    assert not reject([Fault(CUSTOMER_UNKNOWN, "", ""), Fault(STOCK_SHORT, "", "")]).retryable
    assert not reject([Fault(GIVEN_UP, "", ""), Fault(NOT_TEXT, "/comment", "")]).retryable


def test_a_thousand_faults_are_one_short_message_that_counts_them() -> None:
    faults = [Fault(FIELD_MISSING, f"/products/{i}/qty", "is required") for i in range(1000)]

    rejected = reject(faults)

    assert rejected.msg == (
        "products[0].qty: is required; products[1].qty: is required; products[2].qty: is required; "
        "and 997 more"
    )
    assert len(rejected.faults) == MOST_ERRORS


@pytest.mark.parametrize(
    "of_text",
    [
        lambda text: Fault(FIELD_MISSING, text, ""),
        lambda text: Fault(FIELD_MISSING, "", text),
        lambda text: Fault(FIELD_MISSING, "", "", {"a": text}),
    ],
    ids=["pointer", "msg", "params"],
)
def test_long_faults_are_fewer_and_one_is_always_listed(of_text: Callable[[str], Fault]) -> None:
    quarter = of_text("x" * (MOST_ERRORS_CHARS // 4))
    far_too_long = of_text("x" * 2 * MOST_ERRORS_CHARS)

    assert len(reject([quarter] * 9).faults) == 4
    assert len(reject([far_too_long] * 2).faults) == 1


def test_an_order_that_cannot_be_stored_names_the_request_to_ask_for() -> None:
    rejected = could_not_be_stored("r-1")

    assert rejected.code is Code.GENERAL
    assert "r-1" in rejected.msg
    assert rejected.faults


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("", ""),
        ("/poNumber", "poNumber"),
        ("/products/12/itemText/sku", "products[12].itemText.sku"),
        ("/a~1b~0c", "'a/b~c'"),
        ("/", "''"),
        ("/bell\x07", "'bell\\x07'"),
    ],
)
def test_a_pointer_is_written_as_people_write_it(pointer: str, name: str) -> None:
    assert field_name(pointer) == name


@given(st.text())
def test_a_clients_own_name_in_a_pointer_is_short_and_escaped(name: str) -> None:
    shown = field_name("/" + pointer_step(name))

    assert len(shown) <= 60
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("X", "'X'"),
        ("Göteborg", "'Göteborg'"),
        ("a'b", '"a\'b"'),
        ("\x00", "'\\x00'"),
        ("\u202eevil", "'\\u202eevil'"),
        (None, "null"),
        (True, "true"),
        (2.5, "2.5"),
        (Decimal("1E+400"), "1E+400"),
        ([], "[]"),
        ([1, 2], "[…]"),
        ({}, "{}"),
        ({"a": 1}, "{…}"),
    ],
)
def test_a_value_is_shown_as_json_has_it(value: object, shown: str) -> None:
    assert quoted(value) == shown


@given(json_values)
def test_any_value_is_shown_short_and_without_control_characters(value: Any) -> None:
    shown = quoted(value)

    assert 1 <= len(shown) <= 60
    assert shown.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        "\x00" * 100,
        "'" * 100,
        10**5000,
        -(10**5000),
        Decimal("0." + "1" * 5000),
        [[]] * 10**5,
    ],
    ids=["long", "escaped", "quotes", "large", "below zero", "digits", "array"],
)
def test_a_value_as_large_as_the_body_is_cut(value: object) -> None:
    assert len(quoted(value)) <= 60
