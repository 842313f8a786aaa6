"""The mail server that SMTP_URL names, and whether the way to it must be encrypted."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from shared.settings import Settings, SettingsError

_PORTS = {"smtp": 25, "smtps": 465}


class Starttls(StrEnum):
    """When a plain connection is turned into an encrypted one."""

    AUTO = "auto"
    """Where it is offered; demanded before a password is sent to another machine."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails are handed over, and as whom."""

    host: str
    port: int
    encrypted: bool
    """From the first byte (smtps)."""
    starttls: Starttls
    user: str
    password: str = field(repr=False)

    @property
    def must_encrypt(self) -> bool:
        """Whether to go no further on a connection that stays plain."""
        if self.starttls is Starttls.AUTO:
            return bool(self.user) and not _is_this_machine(self.host)
        return self.starttls is Starttls.ALWAYS


def smtp_server(settings: Settings) -> SmtpServer:
    """The server that the settings name. Raises SettingsError, which never shows the password."""
    parts = urlsplit(settings.smtp_url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError("SMTP_URL takes smtp://user:password@host:587 or smtps://user:password@host:465.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise SettingsError("SMTP_URL has a user or password outside ASCII, which SMTP cannot send.")
    if settings.smtp_starttls not in list(Starttls):
        raise SettingsError(f"SMTP_STARTTLS is {settings.smtp_starttls!r}; it takes {', '.join(Starttls)}.")
    return SmtpServer(
        host=host,
        port=port or _PORTS[parts.scheme],
        encrypted=parts.scheme == "smtps",
        starttls=Starttls(settings.smtp_starttls),
        user=user,
        password=password,
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
