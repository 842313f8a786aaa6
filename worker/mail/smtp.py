"""Delivery by SMTP (RFC 5321): at each step it is known whether the server may have the mail."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from shared.domain.delivery import Bounced, ClaimedElsewhere, Deferred, Delivered, Delivery, Unknown
from shared.domain.mail_text import told
from worker.mail.message import Letter
from worker.mail.smtp_server import SmtpServer, Starttls

_READY = 354
"""The answer to DATA: send it."""

# "Authenticate first", "encrypt first": about us and our settings, whatever the mail.
_ABOUT_US = frozenset({530, 534, 535, 538})
_LINE_END = re.compile(rb"\r\n|\n|\r")


class _StoppedError(Exception):
    """The server said no before any of the mail was sent."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self.delivery = delivery


class SmtpPost:
    """Hands mails over to one server, each on a connection of its own."""

    def __init__(
        self, server: SmtpServer, *, introduced_as: str, step_seconds: float, limit_seconds: float
    ) -> None:
        self._server = server
        self._introduced_as = introduced_as
        self._step_seconds = step_seconds
        self._limit_seconds = limit_seconds

    def deliver(self, letter: Letter, claim: Callable[[], bool]) -> Delivery:
        """Hand a mail over; ``claim`` is asked when the server has taken everything but the mail itself.

        Raises only what ``claim`` raises.
        """
        wire = _on_the_wire(letter.wire)
        try:
            with self._session() as session:
                self._introduce(session)
                _address(session, letter)
                if not claim():
                    return ClaimedElsewhere()
                _expect(session.docmd("DATA"), _READY)
                return _send(session, wire)
        except _StoppedError as stopped:
            return stopped.delivery
        except OSError as error:  # smtplib's own are among them
            return Deferred(_named(error))

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        session = self._connect()
        # Each step has its limit, but a server may take any number of them, or answer byte by byte.
        watch = threading.Timer(self._limit_seconds, _cut, (session,))
        watch.daemon = True
        watch.start()
        try:
            yield session
        finally:
            watch.cancel()
            with suppress(OSError):  # what matters has been said
                session.quit()
            session.close()

    def _connect(self) -> smtplib.SMTP:
        server, name, limit = self._server, self._introduced_as, self._step_seconds
        if server.encrypted:
            tls = ssl.create_default_context()
            return smtplib.SMTP_SSL(server.host, server.port, name, context=tls, timeout=limit)
        return smtplib.SMTP(server.host, server.port, name, timeout=limit)

    def _introduce(self, session: smtplib.SMTP) -> None:
        server = self._server
        session.ehlo_or_helo_if_needed()
        if not server.encrypted and server.starttls is not Starttls.NEVER:
            if session.has_extn("starttls"):
                session.starttls(context=ssl.create_default_context())
                session.ehlo_or_helo_if_needed()
            elif server.must_encrypt:
                raise _StoppedError(
                    Deferred("the server offers no STARTTLS, and the connection must be encrypted")
                )
        if server.user:
            session.login(server.user, server.password)


def _address(session: smtplib.SMTP, letter: Letter) -> None:
    options: tuple[str, ...] = ()
    if letter.needs_smtputf8:
        if not session.has_extn("smtputf8"):
            raise _StoppedError(Bounced("the server takes no addresses outside ASCII (SMTPUTF8)"))
        options = ("SMTPUTF8", "BODY=8BITMIME")
    _expect(session.mail(letter.sender, options))
    _expect(session.rcpt(letter.recipient))


def _expect(answer: tuple[int, bytes], wanted: int | None = None) -> None:
    code, _ = answer
    if code == wanted or (wanted is None and code // 100 == 2):  # noqa: PLR2004 - 2yz: done
        return
    raise _StoppedError(_no(answer))


def _send(session: smtplib.SMTP, wire: bytes) -> Delivery:
    """Send the mail itself. From the first byte on, only the server's own word tells what became of it."""
    try:
        session.send(wire)
        answer = session.getreply()
    except OSError as error:
        return Unknown(_named(error))
    kind = answer[0] // 100
    if kind == 2:  # noqa: PLR2004 - 2yz: done
        return Delivered()
    # RFC 5321, 4.2.5: with a 4yz or 5yz here the server has not taken the mail, and we still have it to send.
    return _no(answer) if kind in (4, 5) else Unknown(_said(answer))


def _no(answer: tuple[int, bytes]) -> Deferred | Bounced:
    permanent = answer[0] // 100 == 5 and answer[0] not in _ABOUT_US  # noqa: PLR2004 - 5yz: never
    return Bounced(_said(answer)) if permanent else Deferred(_said(answer))


def _said(answer: tuple[int, bytes]) -> str:
    code, text = answer
    return f"the server said {code} {told(text.decode('utf-8', 'replace'))}"


def _named(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _said((error.smtp_code, text if isinstance(text, bytes) else text.encode()))
    return told(f"{type(error).__name__}: {error}")


def _on_the_wire(mail: bytes) -> bytes:
    """A mail as DATA wants it: CRLF, a dot before each leading dot, and a dot alone at its end."""
    lines = _LINE_END.split(mail.rstrip(b"\r\n"))
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"\r\n".join(stuffed) + b"\r\n.\r\n"


def _cut(session: smtplib.SMTP) -> None:
    """End whatever the session waits for. Closing alone would not wake the thread that waits."""
    if session.sock is not None:
        with suppress(OSError):  # it has ended already
            # Not SSLSocket's own, which takes the TLS state away under the feet of the waiting thread.
            socket.socket.shutdown(session.sock, socket.SHUT_RDWR)
