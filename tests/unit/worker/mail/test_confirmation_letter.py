"""A confirmation as it is written, and what the settings of mail may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.confirmation import Confirmation, ConfirmedLine, SoldLine, confirmed_lines
from shared.settings import Settings, SettingsError
from worker.mail.message import Sender, Stationery, UnaddressableError, sender_of
from worker.mail.smtp_server import smtp_server

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
STATIONERY = Stationery(Sender("Kronan", "orders@shop.example"), ZoneInfo("Europe/Stockholm"))


def confirmation(**changes: Any) -> Confirmation:
    line = ConfirmedLine(
        sku="BRASS-LAMP",
        title="Kronan Lamp",
        quantity=2,
        back_ordered=1,
        unit_price=Decimal("50.22"),
        original_price=Decimal("60.00"),
        comment="first line\nsecond line",
    )
    values: dict[str, Any] = {
        "numbers": (1001,),
        "email": "anna@example.com",
        "ordered_at": NOW,
        "currency": "EUR",
        "lines": (line,),
        "shipping_name": "Standard",
        "shipping_value": Decimal("4.90"),
        "voucher_value": Decimal("10.00"),
        "grand_total": Decimal("95.34"),
        "invoice": {"firstName": "Anna", "country": "SE"},
        "delivery": {"firstName": "Bo", "city": "Åre", "country": "SE"},
        "po_number": "PO-7",
        "comment": "Ring the bell",
        **changes,
    }
    return Confirmation(**values)


def written(**changes: Any) -> EmailMessage:
    wire = STATIONERY.write(confirmation(**changes), NOW).wire
    mail = message_from_bytes(wire, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    content: str = found.get_content()
    return content


def test_the_plain_text_of_a_confirmation_reads_like_this() -> None:
    assert (
        part(written(), "plain").replace("\r\n", "\n")
        == """\
Thank you for your order.

Order: 1001
Date: 2026-11-24
Your reference: PO-7

2 x Kronan Lamp (BRASS-LAMP)
    50.22 EUR each instead of 60.00 EUR, together 100.44 EUR
    1 of 2 to be delivered later
    first line
    second line

Items: 100.44 EUR
Shipping (Standard): 4.90 EUR
Vouchers: -10.00 EUR
Total: 95.34 EUR

Delivered to:
    Bo
    Åre
    SE

Invoiced to:
    Anna
    SE

Your comment:
    Ring the bell
"""
    )


def test_mail_needs_no_more_than_seven_bits_and_short_lines() -> None:
    wire = STATIONERY.write(confirmation(comment="å" * 5_000), NOW).wire

    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


def test_a_mail_stays_small_whatever_an_order_holds() -> None:
    sold = SoldLine(
        line=0,
        sku="BRASS-LAMP",
        quantity=1,
        back_ordered=0,
        unit_price=Decimal("1.00"),
        original_price=Decimal("1.00"),
        comment="é" * 5_000,
        item_text={"product": "é" * 5_000},
        item={},
    )
    lines = confirmed_lines(replace(sold, line=line) for line in range(5_000))

    mail = written(lines=lines)

    for kind in ("plain", "html"):
        text = part(mail, kind)
        assert text.count("é" * 499 + "…") == 2 * 200
        assert "é" * 500 not in text
        assert "and 4800 more lines" in text
        # The sum is of all of them.
        assert "5,000.00" in text or "5000.00" in text
    assert len(STATIONERY.write(confirmation(lines=lines), NOW).wire) < 3_000_000


def test_subject_of_many_numbers_is_folded_and_whole() -> None:
    numbers = tuple(range(9_007_199_254_740_900, 9_007_199_254_740_991))

    mail = written(numbers=numbers)

    assert mail["Subject"] == "Confirmation of orders " + ", ".join(map(str, numbers))


@given(st.text(max_size=40))
def test_no_text_of_a_client_makes_a_header_or_a_tag(text: str) -> None:
    hostile = f"{text}\r\nBcc: x@evil.example\n<script>{text}"
    mail = written(delivery={"firstName": hostile, "country": "SE"})

    assert mail.keys() == written().keys()
    assert "<script>" not in part(mail, "html")


@pytest.mark.parametrize(
    "email", ["", "a b@example.com", "anna@example.com\nBcc: x@y.example", "x@\u2024\u2024.example"]
)
def test_order_without_an_address_to_write_to_is_told_without_it(email: str) -> None:
    with pytest.raises(UnaddressableError) as caught:
        written(email=email)

    assert "example" not in str(caught.value)


# -- settings ------------------------------------------------------------------------------------------------


def test_sender_is_an_address_with_or_without_a_name() -> None:
    assert sender_of(Settings(mail_from="Kronan AB <orders@shöp.example>")) == Sender(
        "Kronan AB", "orders@xn--shp-tna.example"
    )
    assert sender_of(Settings(mail_from="orders@shop.example")) == Sender("", "orders@shop.example")


@pytest.mark.parametrize("mail_from", ["", "Kronan", "a@b.example\r\nBcc: c@d.example"])
def test_sender_that_is_none_is_told(mail_from: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        sender_of(Settings(mail_from=mail_from, smtp_url="smtp://mx.example"))


def test_server_is_read_from_its_url() -> None:
    server = smtp_server(Settings(smtp_url="smtp://mill%40shop:p%2Fw@mx.example:587"))

    assert (server.host, server.port, server.encrypted) == ("mx.example", 587, False)
    assert (server.user, server.password) == ("mill@shop", "p/w")
    assert "p/w" not in repr(server)
    assert smtp_server(Settings(smtp_url="smtps://mx.example")).port == 465
    assert smtp_server(Settings(smtp_url="smtp://mx.example")).port == 25


@pytest.mark.parametrize(
    ("url", "starttls", "must"),
    [
        ("smtp://mx.example", "auto", False),
        ("smtp://mill:x@mx.example", "auto", True),
        ("smtp://mill:x@localhost", "auto", False),
        ("smtp://mill:x@127.0.0.1", "auto", False),
        ("smtp://mx.example", "always", True),
        ("smtp://mill:x@mx.example", "never", False),
    ],
)
def test_password_goes_to_another_machine_encrypted_unless_told_otherwise(
    url: str, starttls: str, must: bool
) -> None:
    assert smtp_server(Settings(smtp_url=url, smtp_starttls=starttls)).must_encrypt is must


@pytest.mark.parametrize(
    "url",
    [
        "mx.example",
        "http://mill:hunter2@mx.example",
        "smtp://mill:hunter2@",
        "smtp://mill:hunter2@mx.example:99999",
        "smtp://mill:hunter2@mx.example/path",
        "smtp://mill:hunter2%C3%A5@mx.example",
    ],
)
def test_url_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        smtp_server(Settings(smtp_url=url))

    assert "SMTP_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_misspelt_starttls_is_told() -> None:
    with pytest.raises(SettingsError, match="auto, always, never"):
        smtp_server(Settings(smtp_url="smtp://mx.example", smtp_starttls="sometimes"))


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("899", "JPY", "Total: 899 JPY"),
        ("899.000", "JPY", "Total: 899 JPY"),
        ("1234567.5", "EUR", "Total: 1,234,567.50 EUR"),
        ("1.25", "KWD", "Total: 1.250 KWD"),
        ("99.9", "RSD", "Total: 99.90 RSD"),
        ("899.10", "JPY", "Total: 899.10 JPY"),
    ],
)
def test_amounts_have_their_currencys_decimals(amount: str, currency: str, expected: str) -> None:
    assert expected in part(written(grand_total=Decimal(amount), currency=currency), "plain")
