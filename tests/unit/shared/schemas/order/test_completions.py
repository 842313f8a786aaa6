"""Completions are read the fast way where they have no faults, and to the same values."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.completion import Completion
from shared.schemas.order.completion import PARAMETERS, CompletionReader

READERS = {
    (strict, named): CompletionReader(zone=ZoneInfo("Europe/Stockholm"), strict=strict, named=named)
    for strict in (False, True)
    for named in (False, True)
}
TEXTS = st.sampled_from(["", " ", "x", "\0", "a\0b", "é", "e\u0301", "x" * 300, "x" * 5_001, "0000-00-00"])
NUMBERS = st.sampled_from([0, 1, 2, 3, -1, 1.5, "1", "2.0", "1e0", 10**20, True, 14.115, "14.90"])
DATES = st.sampled_from(["2027-01-31", "2027-02-30", "2027-01-31 12:00:00", "never", "0000-00-00 00:00:00"])
ANY: st.SearchStrategy[Any] = st.none() | TEXTS | NUMBERS | DATES | st.just([]) | st.just({})
TRANSACTIONS = ANY | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("status", "amount", "response", "transaction", "method", "external_url", "unknown"), ANY
    ),
)
PAYMENTS = ANY | st.fixed_dictionaries(
    {}, optional={"id": ANY, "auth": TRANSACTIONS, "capture": TRANSACTIONS, "colour": ANY}
)
COMPLETIONS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(PARAMETERS, ANY),
        "payment": PAYMENTS,
        "order": ANY,
        "products": ANY,
    },
)
PLAIN = {
    "order": 1234,
    "payment": {"id": 3, "capture": {"status": 1, "amount": 5, "transaction": "T-1"}},
    "poNumber": "PO",
    "comment": "c",
    "orderDate": "2027-01-31",
    "warehouseGroup": "Apart",
}


@given(COMPLETIONS, st.booleans(), st.booleans())
def test_both_ways_of_reading_a_completion_give_the_same(
    sent: dict[str, Any], strict: bool, named: bool
) -> None:
    reader, text = READERS[strict, named], json.dumps(sent).encode()

    assert reader.read(text) == reader.read_thoroughly(text)


@pytest.mark.parametrize(
    "text", ["[]", "5", "null", '{"order":1,"order":2}', '{"comment":"a\\u0000b"}', '{"order":1e999}']
)
def test_what_is_odd_is_read_the_same_both_ways(text: str) -> None:
    for reader in READERS.values():
        assert reader.read(text.encode()) == reader.read_thoroughly(text.encode())


def test_a_plain_completion_is_read_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, text = READERS[True, True], json.dumps(PLAIN).encode()
    expected = reader.read_thoroughly(text)
    monkeypatch.setattr(CompletionReader, "_read_thoroughly", None)

    found = reader.read(text)

    assert isinstance(found, Completion)
    assert found == expected
