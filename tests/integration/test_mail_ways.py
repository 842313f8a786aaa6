"""The ways for a mail to leave: encrypted, with a password, to addresses of all scripts, and as files."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from aiosmtpd.controller import Controller
from structlog.testing import capture_logs

from shared.domain.delivery import Bounced, Deferred, Delivered
from tests.support.mail_shop import (
    MailShop,
    Postbox,
    at_once,
    free_port,
    mail_server,
    read_mail,
    wants_mail,
)
from worker.tasks import run_confirm

PASSWORD = "open sesame/@"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server needs whose certificate we trust, as an operator makes us trust one."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def with_user(url: str, password: str = PASSWORD) -> str:
    return url.replace("://", f"://mill:{quote(password, safe='')}@")


def test_offered_starttls_is_used_and_the_password_travels_inside_it(
    mail_shop: MailShop, postbox: Postbox, tls: ssl.SSLContext
) -> None:
    number = mail_shop.order()
    know = postbox.authenticate

    with mail_server(postbox, tls=tls, require_starttls=True, auth_required=True, authenticator=know) as url:
        delivery = mail_shop.confirm(number, smtp_url=with_user(url))

    assert delivery == Delivered()
    assert postbox.logins == [(b"mill", PASSWORD.encode())]


def test_mail_goes_over_smtps(mail_shop: MailShop, postbox: Postbox, tls: ssl.SSLContext) -> None:
    number = mail_shop.order()
    controller = Controller(
        postbox, hostname="127.0.0.1", port=free_port(), ssl_context=tls, server_hostname="mx.test"
    )
    controller.start()
    port = controller.port

    delivery = mail_shop.confirm(number, smtp_url=f"smtps://127.0.0.1:{port}")
    controller.stop()

    assert delivery == Delivered()
    assert len(postbox.mails) == 1


def test_server_with_a_certificate_of_nobody_we_know_gets_no_mail(
    mail_shop: MailShop, postbox: Postbox, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    number = mail_shop.order()

    with mail_server(postbox, tls=tls) as url:
        delivery = mail_shop.confirm(number, smtp_url=url)

    assert isinstance(delivery, Deferred)
    assert "certificate verify failed" in delivery.reason
    assert postbox.mails == []


def test_encryption_that_is_asked_for_and_not_offered_stops_the_mail(
    mail_shop: MailShop, postbox: Postbox
) -> None:
    number = mail_shop.order()

    with mail_server(postbox) as url:
        delivery = mail_shop.confirm(number, smtp_url=url, smtp_starttls="always")

    assert delivery == Deferred("the server offers no STARTTLS, and the connection must be encrypted")
    assert mail_shop.confirmation(number).fault is None


def test_wrong_password_is_the_operators_fault_and_not_the_mails(
    mail_shop: MailShop, postbox: Postbox, tls: ssl.SSLContext
) -> None:
    number = mail_shop.order()

    with (
        capture_logs() as logs,
        mail_server(postbox, tls=tls, auth_required=True, authenticator=postbox.authenticate) as url,
    ):
        delivery = mail_shop.confirm(number, smtp_url=with_user(url, "hunter2"))

    assert isinstance(delivery, Deferred)
    assert "535" in delivery.reason
    assert "hunter2" not in str(logs)
    assert mail_shop.confirmation(number).fault is None


# -- addresses -----------------------------------------------------------------------------------------------


def test_address_outside_ascii_goes_to_a_server_that_takes_it(mail_shop: MailShop, postbox: Postbox) -> None:
    number = mail_shop.order(address={"country": "SE", "email": "åsa@exämple.com"})

    with mail_server(postbox, enable_SMTPUTF8=True) as url:
        assert mail_shop.confirm(number, smtp_url=url) == Delivered()

    [envelope], [mail] = postbox.envelopes, postbox.mails
    assert envelope.rcpt_tos == ["åsa@xn--exmple-cua.com"]
    assert "SMTPUTF8" in envelope.mail_options
    assert mail["To"] == "åsa@xn--exmple-cua.com"


def test_address_outside_ascii_is_given_up_where_the_server_cannot(
    mail_shop: MailShop, postbox: Postbox
) -> None:
    number = mail_shop.order(address={"country": "SE", "email": "åsa@example.com"})

    with mail_server(postbox) as url:
        delivery = mail_shop.confirm(number, smtp_url=url)

    assert delivery == Bounced("the server takes no addresses outside ASCII (SMTPUTF8)")


def test_domain_outside_ascii_goes_to_any_server(mail_shop: MailShop, postbox: Postbox) -> None:
    number = mail_shop.order(address={"country": "SE", "email": "eva@straße.example.com"})

    with mail_server(postbox) as url:
        mail_shop.confirm(number, smtp_url=url)

    assert postbox.envelopes[0].rcpt_tos == ["eva@xn--strae-oqa.example.com"]


def test_hostile_texts_end_up_as_texts(mail_shop: MailShop, postbox: Postbox) -> None:
    hostile = "a\r\nBcc: x@evil.example\r\n\r\n.\r\nMAIL FROM:<y@evil.example>"
    address = {
        "country": "SE",
        "email": "anna@example.com",
        "firstName": hostile,
        "city": "<script>x</script>",
    }
    text = {"sku": hostile, "product": hostile}
    number = mail_shop.order(
        address=address,
        comment=hostile,
        poNumber=hostile,
        products=[{"sku": "BRASS-LAMP", "qty": 1, "comment": hostile, "itemText": text}],
    )

    with mail_server(postbox) as url:
        assert mail_shop.confirm(number, smtp_url=url) == Delivered()

    [envelope], [mail] = postbox.envelopes, postbox.mails
    assert envelope.rcpt_tos == ["anna@example.com"]
    assert mail["Bcc"] is None
    assert mail["To"] == "anna@example.com"
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    lines = plain.get_content().splitlines()
    assert "    a Bcc: x@evil.example . MAIL FROM:<y@evil.example>" in lines
    assert not any(line.startswith(("Bcc", "MAIL")) for line in lines)
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


FORGING = [
    "=?utf-8?q?=0D=0ASubject=3A_Pay=0D=0A=0D=0Ahi_evil.test?=@example.com",
    "=?utf-8?q?=0D=0ABcc=3A_v=40evil.example?=@example.com",
    "=?utf-8?b?DQpCY2M6IHZAZXZpbC5leGFtcGxl?=@example.com",
]
"""Addresses that a mail's head has been made of: an encoded word whose text ends the line."""


@pytest.mark.parametrize("address", ["anna@example.com>\r\nRCPT TO:<x@evil.example", *FORGING])
def test_address_that_no_header_could_hold_is_given_up(
    mail_shop: MailShop, postbox: Postbox, address: str
) -> None:
    number = addressed_to(mail_shop, address)

    with mail_server(postbox) as url:
        delivery = mail_shop.confirm(number, smtp_url=url)

    assert delivery == Bounced("the order has no address that a mail could be sent to")
    assert postbox.sessions == 0


@pytest.mark.parametrize("address", FORGING)
def test_mail_whose_head_is_not_ours_is_given_up_and_never_tried_again(
    mail_shop: MailShop, postbox: Postbox, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr("worker.mail.message.is_addressable", lambda _: True)
    number = addressed_to(mail_shop, address)

    with mail_server(postbox) as url:
        deliveries = [mail_shop.confirm(number, smtp_url=url) for _ in range(2)]

    assert isinstance(deliveries[0], Bounced)
    assert "the mail's head" in deliveries[0].reason
    assert deliveries[1] is None
    row = mail_shop.confirmation(number)
    assert (row.handed_over_at, row.fault) == (None, deliveries[0].reason)
    assert postbox.sessions == 0


@pytest.mark.parametrize("address", FORGING)
def test_address_that_mail_programs_decode_is_refused_where_it_is_sent(
    mail_shop: MailShop, address: str
) -> None:
    outcome = mail_shop.place({"k": wants_mail(address={"country": "SE", "email": address})})["k"]

    assert outcome["code"] == -7
    assert [fault["pointer"] for fault in outcome["errors"]] == ["/address/email"]
    assert "which mail programs decode" in outcome["msg"]


def addressed_to(mail_shop: MailShop, address: str) -> int:
    """An order with an address in its row that nobody could send today."""
    number = mail_shop.order()
    with mail_shop.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE orders SET invoice_address = jsonb_set(invoice_address, '{email}', to_jsonb(%s::text))"
            " WHERE number = %s",
            (address, number),
        )
    return number


# -- files ---------------------------------------------------------------------------------------------------


def test_without_a_server_mails_become_files(mail_shop: MailShop, tmp_path: Path) -> None:
    number = mail_shop.order()
    directory = tmp_path / "data" / "mails"

    deliveries = [mail_shop.confirm(number, mail_dir=str(directory), mail_from="") for _ in range(2)]

    assert deliveries == [Delivered(), None]
    [file] = directory.iterdir()
    assert file.name == f"{number}.eml"
    assert (directory.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    mail = read_mail(file.read_bytes())
    assert mail["From"] == "ordermill <ordermill@localhost>"
    assert mail["To"] == "anna@example.com"


def test_threads_that_write_at_once_write_one_file(mail_shop: MailShop, tmp_path: Path) -> None:
    number = mail_shop.order()
    room = mail_shop.room(mail_dir=str(tmp_path))

    at_once(6, lambda: run_confirm(lambda: room, number))

    assert [file.name for file in tmp_path.iterdir()] == [f"{number}.eml"]
    assert mail_shop.confirmation(number).fault is None


def test_directory_that_cannot_be_written_is_tried_again(mail_shop: MailShop, tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("in the way")
    number = mail_shop.order()

    delivery = mail_shop.confirm(number, mail_dir=str(tmp_path / "mails"))

    assert delivery == Deferred("FileExistsError: File exists")
    assert mail_shop.confirmation(number).handed_over_at is None


def test_without_server_and_directory_mails_wait(mail_shop: MailShop) -> None:
    number = mail_shop.order()

    assert mail_shop.confirm(number) is None
    row = mail_shop.confirmation(number)
    assert (row.tries, row.handed_over_at, row.fault) == (0, None, None)
