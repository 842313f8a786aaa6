"""Text that others chose, made fit for a mail, its headers, and the log."""

from __future__ import annotations

import re
import unicodedata

MOST_ADDRESS = 254
"""Characters in an address: what fits into the path of an SMTP command (RFC 5321, 4.5.3.1.3)."""

ENCODED_WORD = "=?"
"""What an encoded word begins with (RFC 2047). An address may hold it, and nobody's does: whatever writes or
reads a header may decode it, line breaks included."""

# What would end an address inside a header or an SMTP command, or begin another one.
_NOT_IN_ADDRESSES = re.compile(r'[\s\x00-\x20\x7f<>()\[\],;:"\\]')
_IN_A_REPLY = re.compile(r"[^\s<>\"',;:]+@[^\s<>\"',;:]+")


def one_line(text: str) -> str:
    """``text`` with each run of white space and control characters as one space: it cannot start a line.

    Letters of all scripts stay as they are, and so do the invisible joiners that some of them need.
    """
    return " ".join("".join(" " if _breaks(char) else char for char in text).split())


def many_lines(text: str) -> str:
    """``text`` with its line breaks as newlines and without other control characters."""
    return "\n".join(one_line(line) for line in text.splitlines()).strip()


def shortened(text: str, most: int) -> str:
    """``text``, of which no more than ``most`` characters are left, the last of them an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _breaks(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"}


def is_addressable(address: str) -> bool:
    """Whether an address can stand in a header and in an SMTP command as it is."""
    local, at, domain = address.rpartition("@")
    return bool(
        at
        and local
        and domain
        and "@" not in local
        and ENCODED_WORD not in address
        and len(address) <= MOST_ADDRESS
        and not _NOT_IN_ADDRESSES.search(address)
        and one_line(address) == address
    )


def masked(address: str) -> str:
    """An address as it may stand in a log: the first character of its local part, and its domain."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{one_line(domain)}" if at else "***"


def told(text: str, most: int = 300) -> str:
    """What a server says, as it may be logged and kept: one line of a bounded length, addresses masked."""
    return one_line(_IN_A_REPLY.sub(lambda found: masked(found[0]), text))[:most]
