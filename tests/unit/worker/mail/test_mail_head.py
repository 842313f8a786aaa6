"""Nothing that a client writes gets into a mail's head, and all of it stands in the mail."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import escape

from shared.domain.confirmation import Confirmation, SoldLine, address_lines, confirmed_lines
from shared.domain.mail_text import many_lines, one_line
from worker.mail.head import HEADERS, ForgedHeadError, check_head
from worker.mail.message import Sender, Stationery, UnaddressableError

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
STATIONERY = Stationery(Sender("Kronan", "orders@shop.example"), ZoneInfo("Europe/Stockholm"))

FRAGMENTS = [
    *("=?utf-8?q?", "=?utf-8?b?", "DQpCY2M6IHhAeS5leA==", "=0D=0ABcc=3A_x=40y.ex", "?=", "=?", "_"),
    *("\r\nBcc: x@y.ex\r\n", "\r\n\r\n", "\n.\n", "\r", "\x85", "\u2028", "\u202e", "--=", "<b>", "&amp;"),
    *("a", "ö", ".", "-", " ", "\t", '"', "{{ 7*7 }}", "x" * 90),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=6).map("".join)
WORDS = st.text(st.sampled_from("ab.=?_-+qB0DAöß\uff1d\uff1f%"), min_size=1, max_size=12)
MAILBOXES = st.lists(st.sampled_from(FRAGMENTS) | WORDS, min_size=1, max_size=5).map("".join)
DOMAINS = st.sampled_from(["example.com", "bücher.example"]) | MAILBOXES.map(lambda one: f"{one}.example")
PEOPLE = st.fixed_dictionaries(
    dict.fromkeys(("firstName", "lastName", "attn", "address", "coaddress", "city", "state"), TEXTS)
)


def confirmation(email: str = "anna@example.com", **changes: Any) -> Confirmation:
    values: dict[str, Any] = {
        "numbers": (1001,),
        "email": email,
        "ordered_at": NOW,
        "currency": "EUR",
        "lines": (),
        "shipping_name": "Standard",
        "shipping_value": Decimal("4.90"),
        "voucher_value": Decimal(0),
        "grand_total": Decimal("4.90"),
        "invoice": {"country": "SE"},
        "delivery": {"country": "SE"},
        "po_number": "",
        "comment": "",
        **changes,
    }
    return Confirmation(**values)


def read(wire: bytes) -> EmailMessage:
    mail = message_from_bytes(wire, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    content: str = found.get_content()
    return content


@given(person=PEOPLE, product=st.lists(TEXTS, min_size=6, max_size=6), po=TEXTS, comment=TEXTS, option=TEXTS)
@example(
    person={"firstName": "=?utf-8?q?=0D=0ABcc=3A_x=40y.example?=", "city": "a\r\nBcc: x@y.example"},
    product=["=?utf-8?b?DQpCY2M6IHhAeS5leGFtcGxl?="] * 6,
    po="\r\n\r\nhi",
    comment="\r\n.\r\nMAIL FROM:<y@evil.example>",
    option="--==",
)
def test_every_text_of_a_client_stands_in_the_mail_and_none_in_its_head(
    person: dict[str, str], product: list[str], po: str, comment: str, option: str
) -> None:
    sku, name, brand, variant, size, line_comment = product
    line = SoldLine(
        line=0,
        sku=sku,
        quantity=2,
        back_ordered=1,
        unit_price=Decimal(3),
        original_price=Decimal(4),
        comment=line_comment,
        item_text={"product": name, "localizedProdSize": {"localizedSize": size}},
        item={"brand": brand, "product": "Lamp", "variant": variant, "size": "M"},
    )
    told = confirmation(
        lines=confirmed_lines([line]),
        invoice=person,
        delivery=person,
        po_number=one_line(po),
        comment=many_lines(comment),
        shipping_name=one_line(option),
    )

    letter = STATIONERY.write(told, NOW)

    mail = read(letter.wire)
    assert sorted(mail.keys()) == list(HEADERS)
    assert mail["To"] == letter.recipient == "anna@example.com"
    assert mail["From"] == "Kronan <orders@shop.example>"
    assert mail["Subject"] == "Confirmation of order 1001"
    plain, html = body(mail, "plain"), body(mail, "html")
    for text in map(one_line, (sku, name, brand, variant, size, po, option, *address_lines(person))):
        assert text in plain
        assert str(escape(text)) in html
    for text in (*many_lines(comment).splitlines(), *many_lines(line_comment).splitlines()):
        assert text in plain
        assert str(escape(text)) in html


@given(MAILBOXES, DOMAINS)
@example("=?utf-8?q?=0D=0ASubject=3A_Pay=0D=0A=0D=0Ahi_evil.test?=", "example.com")
@example("=?utf-8?q?=0D=0ABcc=3A_v=40evil.example?=", "example.com")
@example("=?utf-8?b?DQpCY2M6IHZAZXZpbC5leGFtcGxl?=", "example.com")
@example("anna", "=?utf-8?q?=0Da?=.example")
@example("eva..lind", "docomo.ne.jp")
def test_mail_goes_to_its_address_as_given_or_to_nobody(local: str, domain: str) -> None:
    try:
        letter = STATIONERY.write(confirmation(f"{local}@{domain}"), NOW)
    except UnaddressableError:
        return

    assert "=?" not in letter.recipient
    assert letter.recipient.rpartition("@")[0] == local
    assert letter.recipient.rpartition("@")[2].isascii()
    check_head(letter.wire, letter.recipient)


HEAD = b"".join(b"%s: x\r\n" % name.encode() for name in HEADERS if name != "To")
WHOLE = HEAD + b"To:\r\n anna@example.com\r\n"


def test_head_with_our_headers_and_the_recipient_passes_folded_or_not() -> None:
    check_head(WHOLE + b"\r\nbody", "anna@example.com")
    check_head(HEAD + b"To: anna@example.com\r\n\r\nbody", "anna@example.com")


@pytest.mark.parametrize(
    "wire",
    [
        WHOLE + b"Bcc: x@y.example\r\n\r\nbody",
        WHOLE + b"Subject: x\r\n\r\nbody",
        WHOLE + b"\tx@y.example\r\n\r\nbody",
        WHOLE + b"no field\r\n\r\nbody",
        HEAD + b"\r\nTo: anna@example.com\r\n\r\nbody",
        HEAD + b"To: anna@example.com, x@y.example\r\n\r\nbody",
        HEAD + b"To: x@y.example\r\n\r\nbody",
        HEAD + b"To: anna@example.com\rBcc: x@y.example\r\n\r\nbody",
        HEAD + b"To: anna@example.com\nBcc: x@y.example\r\n\r\nbody",
        HEAD + b"To: anna@example.com\0\r\n\r\nbody",
        HEAD + b"To: \xff@example.com\r\n\r\nbody",
        WHOLE,
        b"",
    ],
)
def test_head_that_is_not_ours_is_refused(wire: bytes) -> None:
    with pytest.raises(ForgedHeadError):
        check_head(wire, "anna@example.com")
