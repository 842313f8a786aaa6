"""What others wrote, on a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.terminal_text import printable, printable_json, printable_lines

STEERING = "\x1b[2J\x9b31m\u202e\u2066\u200b\ufeff\u2028\x07\x7f\U000e0041"
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(STEERING))


def test_letters_of_every_script_are_shown_as_they_are() -> None:
    assert printable("Åsa 東京 العربية 🚲") == "Åsa 東京 العربية 🚲"


@given(TEXTS | st.text(st.characters()))
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    assert printable(STEERING + text).isprintable()
    assert "".join(printable_lines(STEERING + text).split("\n")).replace("\t", "").isprintable()


@given(st.dictionaries(TEXTS, TEXTS), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_json_for_a_terminal_says_the_same(
    document: dict[str, str], indent: str | int | None, raw: bool
) -> None:
    text = json.dumps({STEERING: STEERING, **document}, indent=indent, ensure_ascii=raw)

    shown = printable_json(text.replace("\n", "\r\n").encode("utf-8")).decode()

    assert json.loads(shown) == json.loads(text)
    assert shown.replace("\n", "").replace("\t", "").isprintable()


@pytest.mark.parametrize("body", [b"\xff\x9b", b'"\xc2\x9b"', b"\x9b31m"])
def test_bytes_that_are_no_text_steer_nothing_either(body: bytes) -> None:
    assert b"\x9b" not in printable_json(body).replace("\ufffd".encode(), b"")
