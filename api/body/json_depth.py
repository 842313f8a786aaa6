"""JSON depth: how deep an order's arrays and objects go, told at the speed of C, in bounded time."""

from __future__ import annotations

import re

# Unrolled, so that it runs through a string once, whatever is in it.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_AS_BRACES = bytes.maketrans(b"[]", b"{}")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def nests_deeper_than(levels: int, order: bytes) -> bool:
    """Whether valid JSON has more than ``levels`` arrays and objects inside each other.

    An order with few brackets cannot be deep, and that is nearly every order: counting them is all it costs.
    Otherwise its strings are cut out, all but brackets is dropped, and innermost pairs are taken away, level
    by level. The cost is at most ``levels`` passes over what is left of the brackets, less in each.
    """
    if order.count(b"{") + order.count(b"[") <= levels:
        return False
    brackets = _STRING.sub(b"", order).translate(_AS_BRACES, _NOT_BRACKETS)
    for _ in range(levels):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)
