"""Codes of items as scanners and exporters write them: which of them are one and the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_UPC_DIGITS: Final = 12
_EAN_DIGITS: Final = 13


def same_code(code: str) -> str:
    """The one spelling of an EAN or UPC: 12 digits of a UPC are the EAN of 13 with a 0 before them."""
    return f"0{code}" if len(code) == _UPC_DIGITS and _is_digits(code) else code


def code_spellings(codes: Iterable[str]) -> set[str]:
    """These codes, each in every spelling that an item may have it in."""
    found: set[str] = set()
    for code in codes:
        found |= {code, same_code(code)}
        if len(code) == _EAN_DIGITS and code.startswith("0") and _is_digits(code):
            found.add(code[1:])
    return found


def _is_digits(code: str) -> bool:
    return code.isascii() and code.isdigit()
