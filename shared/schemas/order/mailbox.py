"""E-mail addresses: which of them no mailbox could have."""

from __future__ import annotations

import re

import email_validator
from email_validator import EmailNotValidError, validate_email

from shared.domain.mail_text import ENCODED_WORD

# Mailboxes of tests and of networks of one's own are mailboxes; "invalid" alone can have none (RFC 6761).
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = ["invalid"]

# Japanese carriers gave out addresses with dots where no standard allows them, and they work.
_DOTS = re.compile(r"\.{2,}")


def mailbox_fault(text: str) -> str | None:
    """Why no mailbox could have this address, by its form (no DNS is asked). None: one could."""
    if ENCODED_WORD in text:
        return f"it holds {ENCODED_WORD!r}, which mail programs decode"
    local, at, domain = text.rpartition("@")
    try:
        validate_email(f"{_DOTS.sub('.', local).strip('.')}{at}{domain}", check_deliverability=False)
    except EmailNotValidError as error:
        return str(error)
    return None
