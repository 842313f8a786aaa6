"""The message of a confirmation: headers, plain text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

import idna
from babel.numbers import format_currency
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from shared.domain.confirmation import Confirmation, address_lines
from shared.domain.currencies import shown
from shared.domain.mail_text import is_addressable, one_line
from shared.domain.moments import in_zone
from shared.settings import Settings, SettingsError
from worker.mail.head import ForgedHeadError, check_head

# Seven bits throughout, so that no server on the way has to be able to do more.
_LANGUAGE = "en"
_POLICY = policy.SMTP.clone(cte_type="7bit", raise_on_defect=False)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom confirmations come from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The address's domain: what Message-IDs end in, and how we introduce ourselves to a server."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to be handed over."""

    number: int
    sender: str
    recipient: str
    wire: bytes
    """The mail as it travels and as an .eml file has it, with CRLF; its head has been read back."""

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address has letters outside ASCII before its "@" (RFC 6531)."""
        return _needs_smtputf8(self.sender, self.recipient)


class UnaddressableError(Exception):
    """There is no address that a mail could be sent to; the message says why, without the address."""


def sender_of(settings: Settings) -> Sender:
    """The sender of MAIL_FROM; without one, a local sender for mails that become files.

    Raises SettingsError.
    """
    if not settings.mail_from and not settings.smtp_url:
        return Sender("ordermill", "ordermill@localhost")
    name, address = parseaddr(settings.mail_from)
    if not (settings.mail_from.isprintable() and is_addressable(address)):
        raise SettingsError(
            f"MAIL_FROM is {settings.mail_from!r}; it takes an address, as Shop <orders@shop.example>."
        )
    try:
        return Sender(one_line(name), _deliverable(address))
    except UnaddressableError as error:
        raise SettingsError(f"MAIL_FROM is {settings.mail_from!r}: {error}.") from error


class Stationery:
    """The templates, and what is the same in every mail of this installation."""

    def __init__(self, sender: Sender, zone: ZoneInfo) -> None:
        self.sender = sender
        self._zone = zone
        self._templates = Environment(
            loader=PackageLoader("worker.mail"),
            autoescape=select_autoescape(["html"], default=False),
            # A misspelt name is a fault, not an empty place in a customer's mail.
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["address_lines"] = address_lines
        self._templates.filters["money"] = _money

    def write(self, confirmation: Confirmation, moment: datetime) -> Letter:
        """The mail for ``confirmation``, dated ``moment``. Raises UnaddressableError, ForgedHeadError."""
        if not is_addressable(confirmation.email):
            raise UnaddressableError("the order has no address that a mail could be sent to")
        recipient = _deliverable(confirmation.email)
        utf8 = _needs_smtputf8(self.sender.address, recipient)
        wire = _as_bytes(self._message(confirmation, recipient, moment), utf8=utf8)
        check_head(wire, recipient)
        return Letter(confirmation.numbers[0], self.sender.address, recipient, wire)

    def _message(self, confirmation: Confirmation, recipient: str, moment: datetime) -> EmailMessage:
        told = {
            "order": confirmation,
            "numbers": ", ".join(map(str, confirmation.numbers)),
            "date": in_zone(confirmation.ordered_at, self._zone).date().isoformat(),
        }
        message = EmailMessage(_POLICY)
        message["From"] = _header_address(self.sender.address, self.sender.name)
        # Without the customer's name: nothing that a client chose stands in a header but the address.
        message["To"] = _header_address(recipient)
        message["Subject"] = f"Confirmation of order{'s'[: len(confirmation.numbers) > 1]} {told['numbers']}"
        message["Date"] = format_datetime(moment)
        # The same at every try, so that a mailbox can tell a double.
        message["Message-ID"] = f"<order-{confirmation.numbers[0]}@{self.sender.domain}>"
        # RFC 3834: no holiday notice in answer, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._templates.get_template("confirmation.txt").render(told))
        message.add_alternative(
            self._templates.get_template("confirmation.html").render(told), subtype="html"
        )
        # Last: what becomes a part takes the headers of this kind with it.
        message["Content-Language"] = _LANGUAGE
        return message


def _needs_smtputf8(*addresses: str) -> bool:
    return not all(map(str.isascii, addresses))


def _as_bytes(message: EmailMessage, *, utf8: bool) -> bytes:
    try:
        return message.as_bytes(policy=_POLICY.clone(utf8=utf8))
    except MessageError as error:  # newer Pythons look at what they have written, too
        raise ForgedHeadError("the mail's head would hold more than its headers") from error


def _money(amount: Decimal, currency: str) -> str:
    """An amount as the mail's language writes it, with the currency's code: "$" may be a dozen of them."""
    told = shown(amount, currency)
    # Ours, not CLDR's: see shared.domain.currencies.
    decimals = max(-int(told.as_tuple().exponent), 0)
    pattern = f"#,##0{'.' if decimals else ''}{'0' * decimals} ¤¤"
    return format_currency(told, currency, pattern, locale=_LANGUAGE, currency_digits=False)


def _header_address(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)


def _deliverable(address: str) -> str:
    """The address with its domain in ASCII, which every server understands."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise UnaddressableError("the address's domain cannot be written in ASCII") from error
