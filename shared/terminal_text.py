"""Text that others chose, as it may be written to a terminal.

Nothing in it moves the cursor, turns the line around or vanishes.
A terminal obeys the controls U+0080 to U+009F as it obeys ESC; overrides of direction (U+202E) and characters
without width make a text look like another one.
"""

from __future__ import annotations

import json
import re

_UNUSUAL = re.compile(r"[^ -~]")
_UNUSUAL_IN_LINES = re.compile(r"[^ -~\n\t]")


def printable(text: str) -> str:
    """``text`` as one line: whatever is not printable, line breaks too, is written as an escape."""
    return _UNUSUAL.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """``text`` of several lines: whatever is not printable, but for line breaks and tabs, as an escape."""
    return _UNUSUAL_IN_LINES.sub(_escaped, text)


def printable_json(body: bytes) -> bytes:
    """A JSON document of the same meaning, in which whatever is not printable is written as JSON's escape."""
    return _UNUSUAL_IN_LINES.sub(_escaped_in_json, body.decode("utf-8", "replace")).encode()


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _escaped_in_json(found: re.Match[str]) -> str:
    char = found[0]
    if char == "\r":
        # In JSON it can only be a blank between two tokens.
        return " "
    return char if char.isprintable() else json.dumps(char)[1:-1]
