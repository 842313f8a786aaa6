"""One mailbox, however it is spelled."""

from __future__ import annotations

import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mailbox import mailbox_of

LETTERS = "abzABZ09-åäöÅÄÖüÜßéÉñçøłαωσςΣΩжЖдю中村例えㄱ한א"
LABELS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eva@bücher.example", "eva@xn--bcher-kva.example"),
        ("eva@bücher.example", "EVA@BÜCHER.EXAMPLE"),
        ("eva@bücher.example", "eva@bu\u0308cher.example"),
        ("eva@bücher.example", "Eva@XN--BCHER-KVA.example"),
        ("åsa@example.com", "a\u030asa@example.com"),
        ("åsa@example.com", "ÅSA@EXAMPLE.COM"),
        ("åsa@example.com", "\u212bsa@example.com"),
        ("eva@例え.jp", "eva@例え。jp"),
        ("eva@example.com", "eva@ｅｘａｍｐｌｅ.com"),  # noqa: RUF001 - a domain as a Japanese keyboard writes it
    ],
)
def test_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    assert mailbox_of(one) == mailbox_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eva@straße.example", "eva@strasse.example"),
        ("straße@example.com", "strasse@example.com"),
        ("eva@example.com", "eva+shop@example.com"),
        ("eva.lind@example.com", "evalind@example.com"),
        ("eva..lind@docomo.ne.jp", "eva.lind@docomo.ne.jp"),
        ("eva@example.com", "eva@ëxample.com"),
    ],
)
def test_mailboxes_that_look_alike_stay_apart(one: str, other: str) -> None:
    assert mailbox_of(one) != mailbox_of(other)


@given(st.lists(LABELS, min_size=1, max_size=3).map(".".join))
def test_a_domain_is_written_as_servers_look_it_up(domain: str) -> None:
    try:
        wanted = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return

    assert mailbox_of(f"eva@{domain}") == f"eva@{wanted}"
    assert mailbox_of(f"eva@{unicodedata.normalize('NFD', domain)}") == f"eva@{wanted}"


@given(st.emails())
def test_an_address_in_ascii_is_its_small_letters(email: str) -> None:
    assert mailbox_of(email) == email.lower()
    assert mailbox_of(mailbox_of(email)) == mailbox_of(email)
