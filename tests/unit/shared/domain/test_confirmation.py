"""What a confirmation tells, how texts of others are made harmless, and when a mail is tried again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.confirmation import SoldLine, address_lines, confirmed_lines
from shared.domain.delivery import Pauses
from shared.domain.mail_text import is_addressable, many_lines, masked, one_line, told

LAMP = {"brand": "Kronan", "product": "Lamp", "variant": "Brass", "size": "M"}


def sold(line: int = 0, quantity: int = 1, **changes: Any) -> SoldLine:
    values: dict[str, Any] = {
        "sku": "BRASS-LAMP",
        "back_ordered": 0,
        "unit_price": Decimal("50.22"),
        "original_price": Decimal("60.00"),
        "comment": None,
        "item_text": None,
        "item": LAMP,
        **changes,
    }
    return SoldLine(line=line, quantity=quantity, **values)


def test_parts_of_a_line_become_one_line_again() -> None:
    lines = confirmed_lines([sold(1, 5), sold(0, 2), sold(1, 3, back_ordered=3)])

    assert [(line.quantity, line.back_ordered, line.total) for line in lines] == [
        (2, 0, Decimal("100.44")),
        (8, 3, Decimal("401.76")),
    ]


@pytest.mark.parametrize(
    ("item_text", "title"),
    [
        (None, "Kronan Lamp, Brass, M"),
        ({"product": "Lampa", "brand": None, "variant": ""}, "Kronan Lampa, Brass, M"),
        ({"size": "Large"}, "Kronan Lamp, Brass, Large"),
        (
            {
                "size": "Large",
                "localizedProdSize": {"localizedSize": "42", "localizationDefinitionName": "EU"},
            },
            "Kronan Lamp, Brass, 42",
        ),
    ],
)
def test_item_text_stands_in_place_of_the_catalogs(item_text: dict[str, Any] | None, title: str) -> None:
    [line] = confirmed_lines([sold(item_text=item_text)])

    assert line.title == title


def test_unknown_item_has_its_sku_alone() -> None:
    [line] = confirmed_lines([sold(item={})])

    assert (line.sku, line.title) == ("BRASS-LAMP", "")


def test_address_is_written_as_on_a_parcel() -> None:
    fields = {"firstName": "Anna", "lastName": "Åkesson", "zipcode": "111 22", "city": "Åre", "country": "SE"}

    assert address_lines(fields) == ("Anna Åkesson", "111 22 Åre", "SE")


@given(st.text())
def test_a_text_of_one_line_has_no_line_break_and_no_null(text: str) -> None:
    line = one_line(text)

    assert len(line.splitlines()) <= 1
    assert "\0" not in line
    assert one_line(line) == line


@pytest.mark.parametrize("name", ["محمد", "中村 さくら", "Zoë Ångström", "क्षि", "👩‍🚀"])
def test_names_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert one_line(name) == name


def test_comment_keeps_its_lines_and_loses_its_controls() -> None:
    assert many_lines("a\r\n\x1b[31mb\x07\n") == "a\n[31mb"


@pytest.mark.parametrize("address", ["anna@example.com", "åsa@exämple.com", "o'hara+x@example.com"])
def test_usual_addresses_can_be_written_to(address: str) -> None:
    assert is_addressable(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "a@b@example.com",
        "anna@example.com\r\nBcc: x@y.example",
        "anna@example.com,x@y.example",
        "<anna@example.com>",
        "anna @example.com",
        "anna@example.com\u2028",
        "=?utf-8?q?anna?=@example.com",
        "anna@=?utf-8?q?example?=.com",
        "a" * 250 + "@example.com",
    ],
)
def test_address_that_could_end_a_header_is_none(address: str) -> None:
    assert not is_addressable(address)


def test_one_letter_of_an_address_is_logged() -> None:
    assert masked("anna@example.com") == "a***@example.com"
    assert masked("nonsense") == "***"
    assert told("550 <anna@example.com>:\r\n no such anna@example.com") == (
        "550 <a***@example.com>: no such a***@example.com"
    )


def test_pauses_double_up_to_their_most() -> None:
    pauses = Pauses(first_seconds=30, most_seconds=3600, tries_max=30)

    assert [pauses.after(tries, 0.5) for tries in (1, 2, 3, 7, 8, 30, 5000)] == [
        *(30, 60, 120, 1920, 3600, 3600, 3600)
    ]


def test_all_tries_take_about_a_day() -> None:
    pauses = Pauses(first_seconds=30, most_seconds=3600, tries_max=30)

    assert 22 < sum(pauses.after(tries, 0.5) for tries in range(1, 30)) / 3600 < 25


@given(st.integers(1, 100), st.floats(0, 1))
def test_jitter_moves_a_pause_by_a_quarter_at_most(tries: int, luck: float) -> None:
    pauses = Pauses(first_seconds=30, most_seconds=3600, tries_max=30)

    assert 0.75 <= pauses.after(tries, luck) / pauses.after(tries, 0.5) <= 1.25
