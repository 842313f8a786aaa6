"""A finished mail's head, read back before it leaves.

The library that writes heads has decoded encoded words of an address into line breaks, and a stranger's
headers stood in the shop's mail. What it wrote is therefore compared with what was meant, by a reading that
shares nothing with the writing.
"""

from __future__ import annotations

import re
from typing import Final

from shared.domain.mail_text import ENCODED_WORD

HEADERS: Final = (
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
)
"""What stands in a confirmation's head, each once, and nothing else."""

_FOLD = re.compile(r"\r\n(?=[ \t])")
_FIELD = re.compile(r"(?P<name>[!-9;-~]+):(?P<value>[^\r\n\0]*)")


class ForgedHeadError(Exception):
    """A mail's head is not the one that was meant; the message says how, without a word of the mail."""


def check_head(wire: bytes, recipient: str) -> None:
    """See that a mail has exactly our headers, and its recipient alone in To. Raises ForgedHeadError."""
    head, gap, _ = wire.partition(b"\r\n\r\n")
    fields = _read(head) if gap else None
    if fields is None:
        raise ForgedHeadError("the mail's head could not be read back")
    if sorted(name for name, _ in fields) != list(HEADERS):
        raise ForgedHeadError("the mail's head would have other headers than ours")
    if dict(fields)["To"] != recipient or ENCODED_WORD in recipient:
        raise ForgedHeadError("the mail's head would name another recipient")


def _read(head: bytes) -> list[tuple[str, str]] | None:
    """The head's fields in order, unfolded. None: it holds a line that is no field, or a bare CR or LF."""
    try:
        lines = _FOLD.sub("", head.decode()).split("\r\n")
    except UnicodeDecodeError:
        return None
    found = [_FIELD.fullmatch(line) for line in lines]
    return [(field["name"], field["value"].strip(" \t")) for field in found if field] if all(found) else None
