"""Which e-mail addresses are taken: all that a mailbox could have, where a mailbox is needed."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.outcome import Code
from shared.domain.parsed import Parsed
from shared.schemas.order.mailbox import mailbox_fault
from shared.schemas.order.reading import OrderReader
from tests.support.orders import ADDRESS

READER = OrderReader(zone=ZoneInfo("UTC"), max_lines=10, strict=False)


def read(**addresses: Any) -> Parsed:
    return READER.read(json.dumps({"products": [{"sku": "BRASS-LAMP", "qty": 1}], **addresses}).encode())


@pytest.mark.parametrize(
    "email",
    [
        *("eva@example.com", "Eva.O+shop@Example.COM", "o'neil@example.com", "用户@例え.jp"),
        *("eva..lind@docomo.ne.jp", "eva.@docomo.ne.jp", "e...va..@ezweb.ne.jp"),
        *("pos@shop.local", "x@shop.test", "x@till.lan", "root@host.localhost"),
        *("eva@bücher.example", "eva@xn--bcher-kva.example", "a\u030asa@exämple.com"),
    ],
)
def test_what_a_mailbox_could_have_is_taken_as_sent(email: str) -> None:
    parsed = read(address={"country": "SE", "email": email})

    assert parsed.request is not None, parsed.faults
    assert parsed.request.invoice is not None
    assert parsed.request.invoice.email == email


@pytest.mark.parametrize(
    "email",
    [
        *("n/a", "eva", "eva@", "@example.com", "..@example.com", "a b@example.com", "a@b@example.com"),
        *("eva@localhost", "eva@example..com", "eva@-a.com", "eva@exam_ple", "x@shop.invalid", "x@1.2.3.4"),
        *("eva@example.com\r\nBcc: x@y.example", "eva@example.com,x@y.example", "<eva@example.com>"),
        "=?utf-8?q?eva?=@example.com",
    ],
)
def test_what_no_mailbox_could_have_is_refused_where_it_is_the_only_one(email: str) -> None:
    assert mailbox_fault(email)
    for part in ("address", "invoiceAddress", "deliveryAddress"):
        parsed = read(**{part: {"country": "SE", "email": email}})

        assert [(fault.code, fault.pointer) for fault in parsed.faults] == [(Code.GENERAL, f"/{part}/email")]
        assert "is not an e-mail address" in parsed.faults[0].msg


@pytest.mark.parametrize("email", ["n/a", "-", "eva@", "=?utf-8?q?eva?=@example.com"])
@pytest.mark.parametrize("part", ["address", "invoiceAddress"])
def test_email_of_a_delivery_address_is_kept_as_sent_beside_a_good_one(part: str, email: str) -> None:
    parsed = read(**{part: ADDRESS, "deliveryAddress": {"country": "SE", "email": email}})

    assert parsed.request is not None, parsed.faults
    assert parsed.request.invoice is not None
    assert parsed.request.delivery is not None
    assert (parsed.request.invoice.email, parsed.request.delivery.email) == ("eva@example.com", email)


@pytest.mark.parametrize("email", [5, [], True, "a\0b", "x" * 255])
def test_email_of_a_delivery_address_is_text_all_the_same(email: object) -> None:
    parsed = read(address=ADDRESS, deliveryAddress={"country": "SE", "email": email})

    assert [fault.pointer for fault in parsed.faults] == ["/deliveryAddress/email"]


@pytest.mark.parametrize("email", [5, "x" * 255, "a\0b@example.com"])
def test_email_is_told_wrong_once(email: object) -> None:
    assert len(read(address={"country": "SE", "email": email}).faults) == 1
