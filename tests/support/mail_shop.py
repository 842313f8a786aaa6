"""A shop that sends confirmations, and mail servers that behave as a test wants them to."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Barrier
from typing import TYPE_CHECKING, Any

import uuid6
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import text

from shared.clock import utc_now
from shared.domain.delivery import Delivery
from shared.domain.job import Job
from shared.domain.kinds import JobForm
from shared.persistence.access.keys import create_api_key, find_api_key
from shared.persistence.core.database import open_database
from shared.persistence.jobs.insert import NewJob, NewSlice, insert_job
from shared.queue.job_queue import JobQueue
from tests.support.catalog_files import put
from tests.support.catalogs import MAIL_CATALOG
from tests.support.orders import line, order
from tests.support.settling import settle_slice
from worker.context import WorkerContext
from worker.mail.confirm import confirm_order
from worker.mail.context import MailContext, open_mail_context

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from shared.settings import Settings

ANNA = {"country": "SE", "email": "anna@example.com", "firstName": "Anna", "lastName": "Åkesson"}
SENDER = "Kronan <orders@shop.example>"


class NoEvents:
    """Nobody waits for outcomes here."""

    def announce_all(self, closed: Sequence[tuple[UUID, int]]) -> None:
        """Tell nobody."""


@dataclass
class MailShop:
    """Places orders, and sends their confirmations when told to."""

    settings: Settings
    engine: Engine
    context: WorkerContext
    api_key_id: int

    def place(self, batch: dict[str, Any], *, form: JobForm = JobForm.BATCH) -> dict[str, Any]:
        """Settle a batch as one slice; give its keyed outcomes."""
        now = utc_now()
        job = Job(
            id=uuid6.uuid7(),
            client_id=self.api_key_id,
            api_key_id=self.api_key_id,
            request_id="r-1",
            total=len(batch),
            created_at=now,
            expires_at=now + timedelta(days=1),
            form=form,
        )
        new_job = NewJob(job=job, strict=False, queue="orders.small", dispatch_after_seconds=0)
        body = json.dumps(batch).encode()
        slices = [NewSlice(number=0, first_position=0, order_count=len(batch), body=body)]
        for slice_id in insert_job(self.engine, new_job, slices).slice_ids:
            settle_slice(self.context, slice_id)
        [(outcomes,)] = self.rows("SELECT outcomes FROM slices WHERE job_id = :id", id=job.id)
        found: dict[str, Any] = json.loads(bytes(outcomes))
        return found

    def order(self, **changes: Any) -> int:
        """Place one order that wants a confirmation; give its first number."""
        outcome = self.place({"k": wants_mail(**changes)})["k"]
        assert outcome["status"] == "ok", outcome
        return int(outcome["orders"][0])

    def room(self, *, now: bool = True, **changes: Any) -> MailContext:
        """A mail room on settings with these changes; ``now``: it waits for nothing between tries."""
        pauses = {"mail_retry_first_seconds": 0.0, "mail_retry_most_seconds": 0.0} if now else {}
        settings = replace(self.settings, **{"mail_from": SENDER, **pauses, **changes})
        return open_mail_context(settings, self.engine)

    def confirm(self, number: int, **changes: Any) -> Delivery | None:
        """Try to send one confirmation."""
        return confirm_order(self.room(**changes), number)

    def confirmation(self, number: int) -> Any:
        """The row of a confirmation; None if there is none."""
        found = self.rows("SELECT * FROM confirmations WHERE order_number = :number", number=number)
        return found[0] if found else None

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Read rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))


def wants_mail(*products: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order that wants a confirmation, of two brass lamps unless told otherwise."""
    return order(*(products or [line(qty=2)]), **{"address": ANNA, "sendEmail": True, **changes})


@contextmanager
def open_mail_shop(settings: Settings, *, queue: bool = False) -> Iterator[MailShop]:
    """Open a shop on these servers, its catalog loaded."""
    engine = open_database(settings, "test")
    put(engine, MAIL_CATALOG)
    key = find_api_key(
        engine, create_api_key(engine, "Shop", ["orders:write"], None, None, utc_now()), utc_now()
    )
    assert key is not None
    context = WorkerContext(settings, engine, NoEvents(), JobQueue(settings) if queue else None)  # type: ignore[arg-type]  # all of JobEvents that a worker uses
    yield MailShop(settings, engine, context, key.id)
    if context.queue is not None:
        context.queue.close()
    engine.dispose()


# -- mail servers --------------------------------------------------------------------------------------------


@dataclass
class Postbox:
    """What a server has taken, and what it says: lists of answers, one per mail, the last again and again."""

    envelopes: list[Envelope] = field(default_factory=list)
    to_mail: list[str] = field(default_factory=lambda: ["250 OK"])
    to_recipient: list[str] = field(default_factory=lambda: ["250 OK"])
    to_data: list[str] = field(default_factory=lambda: ["250 OK"])
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    sessions: int = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions += 1
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return _next(self.to_mail)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = _next(self.to_recipient)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        answer = _next(self.to_data)
        if answer.startswith("2"):
            self.envelopes.append(envelope)
        return answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: Any
    ) -> AuthResult:
        """Let in whoever knows the word."""
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login, login.password))
        known = login.password == b"open sesame/@"
        # Not handled: the answer is the server's to give.
        return AuthResult(success=known, handled=known)

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails, read as a mailbox reads them."""
        return [read_mail(envelope.original_content or b"") for envelope in self.envelopes]


def read_mail(content: bytes) -> EmailMessage:
    """A mail from its bytes, which must have no defects."""
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def _next(answers: list[str]) -> str:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def _cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


class HangsUp(SMTP):
    """Takes DATA, and is gone after the first bytes of the mail."""

    async def smtp_DATA(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("354 go on")
        await self._reader.readexactly(20)
        _cut(self)


class HangsUpEarly(SMTP):
    """Is gone when it hears DATA."""

    async def smtp_DATA(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        _cut(self)


class SaysNothing(SMTP):
    """Takes the whole mail and never answers."""

    async def smtp_DATA(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("354 go on")
        while await self._reader.readline() != b".\r\n":
            pass
        await asyncio.sleep(60)


@contextmanager
def mail_server(
    postbox: Postbox,
    kind: type[SMTP] = SMTP,
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> Iterator[str]:
    """A server on this machine; gives its smtp:// URL."""

    class Server(Controller):
        def factory(self) -> SMTP:
            return kind(postbox, tls_context=tls, **{"hostname": "mx.test", **options})

    controller = Server(postbox, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def at_once(count: int, do: Callable[[], Any]) -> list[Any]:
    """Do something in so many threads, all let go together; give what came of each."""

    barrier = Barrier(count)

    def one(_: int) -> Any:
        barrier.wait()
        return do()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
