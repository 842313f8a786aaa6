"""Depth, told without parsing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.body.json_depth import nests_deeper_than


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


NESTED = st.recursive(
    st.text() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=40,
)


@given(NESTED, st.integers(min_value=0, max_value=8))
def test_the_depth_told_is_that_which_a_parser_finds(value: Any, levels: int) -> None:
    assert nests_deeper_than(levels, json.dumps(value).encode()) == (depth(value) > levels)


def test_brackets_in_strings_do_not_count() -> None:
    assert not nests_deeper_than(1, rb'["[[[[", "\"[[[", "\\", "]]", "{{\\\"{{"]')


def test_many_shallow_objects_are_not_deep() -> None:
    assert not nests_deeper_than(3, b'{"products":[' + b'{"qty":1},' * 1_000 + b"{}]}")


@pytest.mark.parametrize(
    "order",
    [
        b"[" + b"[" * 31 + b"]" * 31 + (b"," + b"[" * 31 + b"]" * 31) * 30_000 + b"]",
        b"[" * 1_000_000 + b"]" * 1_000_000,
        b'["' + rb"\"" * 1_000_000 + b'"' + b",[]" * 1_000_000 + b"]",
        b'["a"' + b',"a"' * 500_000 + b",[]" * 40 + b"]",
    ],
    ids=["deep chains", "one chain", "escapes", "strings"],
)
def test_megabytes_of_brackets_take_bounded_time(order: bytes) -> None:
    started = time.perf_counter()
    nests_deeper_than(32, order)

    assert time.perf_counter() - started < 20
