"""Confirmations reach a real SMTP server, at most once each, whatever becomes of the server meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from shared.clock import utc_now
from shared.domain.delivery import Bounced, ClaimedElsewhere, Deferred, Delivered, Unknown
from shared.domain.kinds import JobForm
from shared.persistence.mail.confirmations import claim_delivery, unclaim_delivery
from tests.support.mail_shop import (
    HangsUp,
    HangsUpEarly,
    MailShop,
    Postbox,
    SaysNothing,
    at_once,
    free_port,
    mail_server,
    wants_mail,
)
from worker.mail.confirm import confirm_order
from worker.tasks import run_confirm


@pytest.fixture
def server(postbox: Postbox) -> Iterator[str]:
    with mail_server(postbox) as url:
        yield url


def test_confirmation_arrives_with_what_was_ordered(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    stool = {
        "sku": "RED-STOOL",
        "qty": 1,
        "unitPrice": "15.50",
        "itemText": {"sku": "S-9", "product": "Pall", "localizedProdSize": {"localizedSize": "40 cm"}},
        "comment": "no glue",
    }
    number = mail_shop.order(
        products=[{"sku": "BRASS-LAMP", "qty": 2}, stool],
        voucherValue="10",
        poNumber="PO-7",
        comment="<b>Hej</b>",
    )

    assert mail_shop.confirm(number, smtp_url=server) == Delivered()

    [envelope], [mail] = postbox.envelopes, postbox.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("orders@shop.example", ["anna@example.com"])
    assert mail["From"] == "Kronan <orders@shop.example>"
    assert mail["To"] == "anna@example.com"
    assert mail["Subject"] == f"Confirmation of order {number}"
    assert mail["Message-ID"] == f"<order-{number}@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime - datetime.now(UTC)).total_seconds() < 60
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    for text in (plain.get_content(), html.get_content()):
        for told in (
            *(str(number), "Kronan Lamp, Brass, M", "BRASS-LAMP", "50.22 EUR", "100.44 EUR"),
            *("Pall, 40 cm", "S-9", "15.50 EUR", "20.00 EUR", "no glue", "PO-7"),
            *("115.94 EUR", "Standard", "4.90 EUR", "10.00 EUR", "110.84 EUR", "Anna Åkesson"),
        ):
            assert told in text
    assert "<b>Hej</b>" in plain.get_content()
    assert "&lt;b&gt;Hej&lt;/b&gt;" in html.get_content()
    row = mail_shop.confirmation(number)
    assert row.handed_over_at is not None
    assert (row.tries, row.fault) == (1, None)


def test_three_deliveries_of_the_task_send_one_mail(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    number = mail_shop.order()
    room = mail_shop.room(smtp_url=server)

    for _ in range(3):
        run_confirm(lambda: room, number)

    assert len(postbox.mails) == 1


def test_threads_that_all_talk_to_the_server_at_once_send_one_mail(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    number = mail_shop.order()
    # One has begun when the next may; so that more than one comes as far as the claim.
    room = mail_shop.room(smtp_url=server)

    at_once(6, lambda: run_confirm(lambda: room, number))

    assert len(postbox.mails) == 1
    assert mail_shop.confirmation(number).fault is None


def test_claim_is_won_by_one_of_many_that_want_it_at_once(mail_shop: MailShop) -> None:
    number = mail_shop.order()

    won = at_once(8, lambda: claim_delivery(mail_shop.engine, number, utc_now()))

    assert sorted(won) == [False] * 7 + [True]


def test_claim_that_another_one_wins_meanwhile_sends_nothing(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    number = mail_shop.order()
    room = mail_shop.room(smtp_url=server)
    theirs = utc_now()

    def meanwhile() -> datetime:
        # The clock is looked at last just before the claim.
        claim_delivery(mail_shop.engine, number, theirs)
        return utc_now()

    delivery = confirm_order(replace(room, clock=meanwhile), number)

    assert delivery == ClaimedElsewhere()
    assert postbox.sessions == 1
    assert postbox.mails == []
    assert mail_shop.confirmation(number).handed_over_at == theirs


def test_claim_is_taken_back_by_its_claimant_alone(mail_shop: MailShop) -> None:
    number = mail_shop.order()
    theirs = utc_now()
    claim_delivery(mail_shop.engine, number, theirs)

    unclaim_delivery(mail_shop.engine, number, utc_now())

    assert mail_shop.confirmation(number).handed_over_at == theirs


def test_order_stands_while_the_server_is_away_and_the_mail_comes_when_it_is_back(
    mail_shop: MailShop, postbox: Postbox
) -> None:
    port = free_port()
    number = mail_shop.order()
    away = mail_shop.confirm(number, smtp_url=f"smtp://127.0.0.1:{port}")
    waiting = mail_shop.confirmation(number)

    with mail_server(postbox, port=port) as url:
        back = mail_shop.confirm(number, smtp_url=url)

    assert isinstance(away, Deferred)
    assert (waiting.tries, waiting.handed_over_at, waiting.fault) == (1, None, None)
    assert back == Delivered()
    assert len(postbox.mails) == 1


def test_next_try_waits_its_pause_however_often_the_task_comes(mail_shop: MailShop, postbox: Postbox) -> None:
    port = free_port()
    number = mail_shop.order()
    mail_shop.confirm(number, smtp_url=f"smtp://127.0.0.1:{port}", now=False)

    with mail_server(postbox, port=port) as url:
        early = [mail_shop.confirm(number, smtp_url=url, now=False) for _ in range(3)]

    assert early == [None, None, None]
    assert postbox.mails == []
    [(pause,)] = mail_shop.rows(
        "SELECT extract(epoch FROM next_try_at - now()) FROM confirmations WHERE order_number = :n", n=number
    )
    assert 15 < pause < 40
    assert mail_shop.confirmation(number).tries == 1


@pytest.mark.parametrize("step", ["to_mail", "to_recipient", "to_data"])
def test_a_mail_that_the_server_defers_is_tried_again(
    mail_shop: MailShop, postbox: Postbox, server: str, step: str
) -> None:
    setattr(postbox, step, ["451 4.7.1 greylisted, come back", "250 OK"])
    number = mail_shop.order()

    first = mail_shop.confirm(number, smtp_url=server)
    waiting = mail_shop.confirmation(number)
    second = mail_shop.confirm(number, smtp_url=server)

    assert first == Deferred("the server said 451 4.7.1 greylisted, come back")
    assert (waiting.handed_over_at, waiting.fault) == (None, None)
    assert second == Delivered()
    assert len(postbox.mails) == 1
    assert mail_shop.confirmation(number).tries == 2


@pytest.mark.parametrize("step", ["to_mail", "to_recipient", "to_data"])
def test_a_mail_that_the_server_bounces_is_given_up_and_told_without_the_address(
    mail_shop: MailShop, postbox: Postbox, server: str, step: str
) -> None:
    setattr(postbox, step, ["550 5.1.1 <anna@example.com>: nobody here", "250 OK"])
    number = mail_shop.order()

    with capture_logs() as logs:
        first = mail_shop.confirm(number, smtp_url=server)
    second = mail_shop.confirm(number, smtp_url=server)

    assert first == Bounced("the server said 550 5.1.1 <a***@example.com>: nobody here")
    assert second is None
    assert postbox.mails == []
    row = mail_shop.confirmation(number)
    assert row.handed_over_at is None
    assert "550" in row.fault
    assert "anna@" not in row.fault + str(logs)
    assert [line["log_level"] for line in logs if line["event"] == "confirmation_given_up"] == ["error"]


def test_connection_lost_in_the_middle_of_the_mail_is_never_sent_again(
    mail_shop: MailShop, postbox: Postbox
) -> None:
    number = mail_shop.order()
    with mail_server(postbox, HangsUp) as url:
        first = mail_shop.confirm(number, smtp_url=url)

    with mail_server(postbox) as url:
        second = mail_shop.confirm(number, smtp_url=url)

    assert isinstance(first, Unknown)
    assert second is None
    assert postbox.mails == []
    row = mail_shop.confirmation(number)
    assert row.handed_over_at is not None
    assert row.fault.startswith("not known: ")


def test_server_that_never_answers_to_the_mail_is_left_in_time(mail_shop: MailShop, postbox: Postbox) -> None:
    number = mail_shop.order()

    with mail_server(postbox, SaysNothing) as url:
        delivery = mail_shop.confirm(number, smtp_url=url, mail_step_seconds=30, mail_limit_seconds=0.5)

    assert isinstance(delivery, Unknown)
    assert mail_shop.confirmation(number).handed_over_at is not None


def test_connection_lost_before_the_mail_is_tried_again(mail_shop: MailShop, postbox: Postbox) -> None:
    number = mail_shop.order()
    with mail_server(postbox, HangsUpEarly) as url:
        first = mail_shop.confirm(number, smtp_url=url)

    with mail_server(postbox) as url:
        second = mail_shop.confirm(number, smtp_url=url)

    assert isinstance(first, Deferred)
    assert second == Delivered()
    assert len(postbox.mails) == 1


def test_sender_that_dies_after_its_claim_leaves_a_mail_that_is_not_sent_again(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    class Killed(BaseException):
        """What a test can do of SIGKILL."""

    class Dies:
        def deliver(self, _letter: object, claim: object) -> None:
            assert callable(claim)
            assert claim()
            raise Killed

    number = mail_shop.order()
    room = mail_shop.room(smtp_url=server)
    object.__setattr__(room, "post", Dies())
    with pytest.raises(Killed):
        run_confirm(lambda: room, number)

    assert mail_shop.confirm(number, smtp_url=server) is None
    assert postbox.mails == []
    assert mail_shop.confirmation(number).fault.startswith("not known: ")


def test_mail_is_given_up_after_its_last_try(mail_shop: MailShop) -> None:
    number = mail_shop.order()
    nobody = f"smtp://127.0.0.1:{free_port()}"

    deliveries = [mail_shop.confirm(number, smtp_url=nobody, mail_tries_max=2) for _ in range(3)]

    assert isinstance(deliveries[0], Deferred)
    assert isinstance(deliveries[1], Bounced)
    assert deliveries[2] is None
    assert mail_shop.confirmation(number).fault.startswith("given up after 2 tries: ConnectionRefusedError")


def test_last_try_that_ended_its_process_counts(mail_shop: MailShop, postbox: Postbox, server: str) -> None:
    number = mail_shop.order()
    with mail_shop.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE confirmations SET tries = 2 WHERE order_number = %s", (number,))

    assert mail_shop.confirm(number, smtp_url=server, mail_tries_max=2) == Bounced("given up after 2 tries")
    assert postbox.mails == []


# -- which orders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "default", "wanted"),
    [(None, False, 0), (None, True, 1), (False, True, 0), (True, False, 1)],
)
def test_order_says_whether_it_is_confirmed_and_else_the_setting_does(
    mail_shop: MailShop, postbox: Postbox, server: str, asked: bool | None, default: bool, wanted: int
) -> None:
    context = replace(mail_shop.context, settings=replace(mail_shop.settings, confirm_orders=default))
    number = replace(mail_shop, context=context).order(sendEmail=asked)

    mail_shop.confirm(number, smtp_url=server)

    assert len(postbox.mails) == wanted


def test_rejected_order_is_not_confirmed(mail_shop: MailShop) -> None:
    [(before,)] = mail_shop.rows("SELECT count(*) FROM confirmations")

    outcome = mail_shop.place({"k": wants_mail(products=[{"sku": "BRASS-LAMP", "qty": 1_000_000}])})["k"]

    assert outcome["code"] == -2
    assert mail_shop.rows("SELECT count(*) FROM confirmations") == [(before,)]


def test_prepared_order_is_confirmed_once_it_is_completed(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    number = mail_shop.place({"k": wants_mail(createOnly=True)})["k"]["order"]
    prepared = mail_shop.confirm(number, smtp_url=server)

    mail_shop.place({str(number): {"payment": {"id": 3}}}, form=JobForm.COMPLETION)
    mail_shop.place({str(number): {"comment": "again"}}, form=JobForm.COMPLETION)
    completed = [mail_shop.confirm(number, smtp_url=server) for _ in range(2)]

    assert prepared is None
    assert completed == [Delivered(), None]
    assert [mail["Subject"] for mail in postbox.mails] == [f"Confirmation of order {number}"]


def test_split_order_gets_one_mail_that_names_all_numbers(
    mail_shop: MailShop, postbox: Postbox, server: str
) -> None:
    outcome = mail_shop.place(
        {
            "k": wants_mail(
                warehouseGroup="Apart", products=[{"sku": "RED-STOOL", "qty": 4, "unitPrice": "20.01"}]
            )
        }
    )["k"]
    first, second = outcome["orders"]

    deliveries = [mail_shop.confirm(number, smtp_url=server) for number in (first, second)]

    assert deliveries == [Delivered(), None]
    [mail] = postbox.mails
    assert mail["Subject"] == f"Confirmation of orders {first}, {second}"
    plain = mail.get_body(("plain",))
    assert plain is not None
    text = plain.get_content()
    assert "4 x Stool (RED-STOOL)" in text
    assert "Total: 84.94 EUR" in text
    assert "2 parts" in text
