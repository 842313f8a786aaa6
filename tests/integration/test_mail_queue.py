"""Mails have a queue of their own: told of after the commit, swept when nobody told, and served apart."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from shared.domain.kinds import JobForm
from shared.queue.job_queue import KEY_PREFIX, JobQueue
from shared.queue.lanes import MAIL_QUEUE
from shared.settings import environment_with
from tests.support.mail_shop import (
    SENDER,
    MailShop,
    Postbox,
    free_port,
    mail_server,
    open_mail_shop,
    wants_mail,
)
from tests.support.until import until
from worker.mail.hints import HINTS_MAX
from worker.maintenance.redispatch import MAILS_WAITING_MAX, sweep, sweep_mails

if TYPE_CHECKING:
    from shared.settings import Settings


@pytest.fixture
def mailing(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a way for mails to leave."""
    return replace(settings, mail_dir=str(tmp_path / "mails"))


@pytest.fixture
def shop_with_queue(mailing: Settings) -> Iterator[MailShop]:
    with open_mail_shop(mailing, queue=True) as made:
        yield made


def messages(settings: Settings) -> list[str]:
    with redis.Redis.from_url(settings.redis_url, decode_responses=True) as client:
        found: list[str] = client.lrange(f"{KEY_PREFIX}{MAIL_QUEUE}", 0, -1)
        return found


def test_slice_tells_the_mail_queue_the_order_number_and_nothing_else(shop_with_queue: MailShop) -> None:
    number = shop_with_queue.order()

    [message] = messages(shop_with_queue.settings)
    body = json.loads(message)
    assert body["headers"]["argsrepr"] == f"({number},)"
    assert "anna" not in message


def test_completed_order_is_told_of(shop_with_queue: MailShop) -> None:
    number = shop_with_queue.place({"k": wants_mail(createOnly=True)})["k"]["order"]
    before = messages(shop_with_queue.settings)

    shop_with_queue.place({str(number): {}}, form=JobForm.COMPLETION)

    assert before == []
    assert len(messages(shop_with_queue.settings)) == 1


def test_large_slice_tells_of_few_and_the_sweeper_finds_all(
    shop_with_queue: MailShop, queue: JobQueue
) -> None:
    shop_with_queue.place({str(i): wants_mail(products=[{"sku": "BRASS-LAMP", "qty": 1}]) for i in range(30)})
    told = len(messages(shop_with_queue.settings))

    swept = sweep_mails(shop_with_queue.engine, queue, shop_with_queue.settings)

    assert told == HINTS_MAX
    assert swept == 30


def test_sweeper_leaves_a_deep_queue_alone(shop_with_queue: MailShop, queue: JobQueue) -> None:
    shop_with_queue.order()
    queue.dispatch_mails([1] * MAILS_WAITING_MAX)

    assert sweep_mails(shop_with_queue.engine, queue, shop_with_queue.settings) == 0


def test_sweeper_waits_for_the_time_of_the_next_try(shop_with_queue: MailShop, queue: JobQueue) -> None:
    number = shop_with_queue.order()
    shop_with_queue.confirm(number, now=False, smtp_url=f"smtp://127.0.0.1:{free_port()}")

    assert sweep_mails(shop_with_queue.engine, queue, shop_with_queue.settings) == 0


def test_nothing_is_told_or_swept_while_mails_have_no_way_to_leave(
    settings: Settings, queue: JobQueue
) -> None:
    with open_mail_shop(settings, queue=True) as shop:
        number = shop.order()

        assert sweep_mails(shop.engine, queue, settings) == 0
        assert messages(settings) == []
        assert shop.confirmation(number).fault is None


def test_sweeping_slices_sends_nothing_to_the_mail_queue(shop_with_queue: MailShop, queue: JobQueue) -> None:
    sweep(shop_with_queue.engine, queue, shop_with_queue.settings)

    assert messages(shop_with_queue.settings) == []


def test_order_stands_while_the_broker_is_away(mailing: Settings) -> None:
    away = replace(mailing, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    with open_mail_shop(away, queue=True) as shop:
        number = shop.order()

        assert shop.confirmation(number).tries == 0


def test_mailer_sends_what_it_is_told_of_and_stops_in_order(
    settings: Settings, queue: JobQueue, tmp_path: Path
) -> None:
    postbox = Postbox()
    with (
        mail_server(postbox) as url,
        open_mail_shop(replace(settings, smtp_url=url), queue=True) as shop,
        mailer(shop.settings, tmp_path / "log") as process,
    ):
        for _ in range(3):
            shop.order()
        until(lambda: len(postbox.mails) == 3)
        assert queue.workers() == []
        [name] = queue.mailers()
        assert name.startswith("mailer@")
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    log = (tmp_path / "log").read_text()
    assert code == 0, log
    assert queue.mailers() == []
    assert "anna@" not in log
    # Celery prints its farewell past the log.
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    sent = [line for line in lines if line["event"] == "confirmation"]
    assert [(line["role"], line["request_id"], line["to"]) for line in sent] == [
        ("mailer", "r-1", "***@example.com")
    ] * 3


def test_stopping_mailer_finishes_what_it_has_begun_and_leaves_the_rest(
    settings: Settings, queue: JobQueue, tmp_path: Path
) -> None:
    with (
        # A server that lets everybody in and greets nobody.
        socket.create_server(("127.0.0.1", 0), backlog=64) as silent,
        open_mail_shop(settings) as shop,
    ):
        numbers = [shop.order() for _ in range(30)]
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        with mailer(replace(settings, smtp_url=url), tmp_path / "log", MAIL_STEP_SECONDS="2") as process:
            queue.dispatch_mails(numbers)
            until(lambda: "confirmation_left_for_later" in (tmp_path / "log").read_text())
            process.send_signal(signal.SIGTERM)
            # Eight rounds of two seconds, if it went through them all.
            code = process.wait(8)

        rows = [shop.confirmation(number) for number in numbers]
        assert code == 0
        assert all(row.handed_over_at is None and row.fault is None for row in rows)
        assert 4 <= sum(row.tries for row in rows) <= 12


@contextmanager
def mailer(settings: Settings, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = environment_with(
        DATABASE_URL=settings.database_url,
        REDIS_URL=settings.redis_url,
        SMTP_URL=settings.smtp_url,
        MAIL_FROM=SENDER,
        LOG_FORMAT="json",
        **variables,
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "mailer"], env=environment, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
