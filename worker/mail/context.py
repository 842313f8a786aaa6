"""Mail context: what a process that sends mails has at hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from shared.clock import Clock, utc_now
from shared.domain.delivery import Delivery, Pauses
from shared.persistence.core.database import open_database
from shared.settings import Settings
from worker.mail.files import FilePost
from worker.mail.message import Letter, Stationery, sender_of
from worker.mail.smtp import SmtpPost
from worker.mail.smtp_server import smtp_server


class Post(Protocol):
    """A way for mails to leave."""

    def deliver(self, letter: Letter, claim: Callable[[], bool]) -> Delivery:
        """Hand a mail over once ``claim`` agrees; raises only what ``claim`` raises."""


@dataclass(frozen=True)
class MailContext:
    """The database, the stationery and the post. ``post`` None: mails wait until there is one."""

    engine: Engine
    stationery: Stationery
    post: Post | None
    pauses: Pauses
    clock: Clock = utc_now
    luck: Callable[[], float] = random.random


def open_post(settings: Settings) -> Post | None:
    """The way that the settings name: a server, else files. Raises SettingsError."""
    if settings.smtp_url:
        return SmtpPost(
            smtp_server(settings),
            introduced_as=sender_of(settings).domain,
            step_seconds=settings.mail_step_seconds,
            limit_seconds=settings.mail_limit_seconds,
        )
    return FilePost(Path(settings.mail_dir)) if settings.mail_dir else None


def open_mail_context(settings: Settings, engine: Engine | None = None) -> MailContext:
    """Set up this process's mail room, on a way to the database of its own unless given one.

    Raises SettingsError.
    """
    stationery = Stationery(sender_of(settings), ZoneInfo(settings.organisation_timezone))
    return MailContext(
        engine=engine or open_database(settings, "mailer", needs_schema=True),
        stationery=stationery,
        post=open_post(settings),
        pauses=Pauses(
            first_seconds=settings.mail_retry_first_seconds,
            most_seconds=settings.mail_retry_most_seconds,
            tries_max=settings.mail_tries_max,
        ),
    )
