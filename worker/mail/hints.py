"""Mail hints: after a slice's commit the mail queue is told which confirmations wait."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Engine

from shared.domain.kinds import JobKind
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.slices import TakenSlice
from shared.persistence.mail.confirmations import waiting_among
from shared.queue.job_queue import JobQueue, QueueAwayError
from shared.settings import Settings

log = structlog.get_logger()

HINTS_MAX = 25
"""Mails that one commit announces: as many as a message has small slices, of one order each. The sweeper
finds the others within seconds; announcing hundreds, at about a millisecond each, would keep the worker from
its next slice."""


def may_want_mails(taken: TakenSlice, settings: Settings) -> bool:
    """Whether it is worth asking the database; a wrong no makes a mail wait for the next sweep."""
    if not settings.sends_mails:
        return False
    if settings.confirm_orders or taken.form.kind is not JobKind.ORDERS:
        return True
    return b'"sendEmail"' in taken.body


def hint_mails(engine: Engine, queue: JobQueue, first_numbers: Sequence[int]) -> None:
    """Announce the mails that wait for these orders. Nothing is raised: the sweeper finds the others."""
    try:
        waiting = waiting_among(engine, list(first_numbers))
        queue.dispatch_mails(waiting[:HINTS_MAX])
    except (QueueAwayError, PersistenceError) as error:
        log.warning("mails_not_announced", orders=len(first_numbers), reason=str(error))
