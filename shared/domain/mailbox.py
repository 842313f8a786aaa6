"""One mailbox, however it is spelled (contract §6): what a customer is registered under."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# The full stops that domains are written with elsewhere (UTS #46).
_FULL_STOP = re.compile("[\u3002\uff0e\uff61]")


def mailbox_of(email: str) -> str:
    """The one spelling of an address that was taken: small letters, NFC, and its domain in ASCII (IDNA 2008).

    Two mailboxes never get one spelling: what only looks alike, as ß and ss, stays apart.
    """
    local, _, domain = email.rpartition("@")
    return f"{_small(local)}@{_ascii(domain)}"


def _small(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Letter by letter: a sigma at a word's end is then the same as any other.
    small = "".join(map(str.lower, unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", small)


@lru_cache(maxsize=10_000)
def _ascii(domain: str) -> str:
    """A domain in ASCII. Domains recur, mailboxes do not."""
    if domain.isascii():
        return domain.lower()
    small = _small(unicodedata.normalize("NFKC", _FULL_STOP.sub(".", domain)))
    labels = unicodedata.normalize("NFKC", small).split(".")
    return ".".join(
        one if one.isascii() else f"xn--{one.encode('punycode').decode('ascii')}" for one in labels
    )
