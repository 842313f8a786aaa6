"""What may be asked of GET /v1/orders."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.schemas.lists.orders import OrderListQuery
from shared.schemas.query import read_query, unknown_parameters

STOCKHOLM = OrderListQuery(zone=ZoneInfo("Europe/Stockholm"), page_max=1_000, offset_max=5, max_key_chars=9)


def test_nothing_asked_is_the_first_hundred() -> None:
    assert read_query(STOCKHOLM, []) == {"limit": 100, "offset": 0}


def test_the_default_limit_is_no_larger_than_the_largest() -> None:
    small = OrderListQuery(zone=ZoneInfo("UTC"), page_max=20, offset_max=5, max_key_chars=9)

    assert read_query(small, []) == {"limit": 20, "offset": 0}
    # A schema's limits are its own.
    assert read_query(STOCKHOLM, [("limit", "1000")]) == {"limit": 1000, "offset": 0}


@pytest.mark.parametrize(
    ("sent", "hour"),
    [
        ("2027-01-31", 23),
        ("2027-01-31 12:00:00", 11),
        ("2027-01-31T12:00:00+00:00", 12),
        ("2027-01-31T12:00:00Z", 12),
    ],
)
def test_a_date_is_one_of_the_organisations_zone_unless_it_names_one(sent: str, hour: int) -> None:
    values = read_query(STOCKHOLM, [("newer_than", sent)])

    assert isinstance(values, dict)
    day = 30 if hour == 23 else 31
    assert values["newer_than"] == datetime(2027, 1, day, hour, tzinfo=UTC)


def test_a_query_parameter_that_stands_twice_is_refused() -> None:
    faults = read_query(STOCKHOLM, [("order", "1"), ("order", "2")])

    assert isinstance(faults, list)
    assert [(fault.pointer, fault.msg) for fault in faults] == [
        ("/order", "stands more than once; send it once")
    ]


def test_an_unknown_parameter_is_told_with_those_that_there_are() -> None:
    none, some = (
        unknown_parameters((), ["a/b"], "GET /x"),
        unknown_parameters(("sku",), ["sku", "y", "y"], "GET /y"),
    )

    assert [(fault.pointer, fault.msg) for fault in (*none, *some)] == [
        ("/a~1b", "is no parameter of GET /x; it takes none"),
        ("/y", "is no parameter of GET /y; it knows sku"),
    ]
