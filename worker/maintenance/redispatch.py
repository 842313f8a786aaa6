"""Redispatch, the sweep (architecture §1, step 9): slices accepted too long ago are dispatched again.

A duplicate finds its slice closed and does nothing, so doing this too often costs only time.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Engine

from shared.domain.backoff import Backoff
from shared.domain.slicing import SLICE_QUEUES
from shared.failpoints import failpoint
from shared.persistence.jobs.redispatch import (
    give_back_slices,
    make_all_due,
    make_cancelled_due,
    next_due_slices,
)
from shared.persistence.jobs.turns import notice_turns
from shared.persistence.mail.confirmations import due_confirmations
from shared.queue.job_queue import JobQueue, QueueAwayError
from shared.queue.lanes import MAIL_QUEUE
from shared.settings import Settings

log = structlog.get_logger()

MAILS_WAITING_MAX = 200
"""Messages in the mail queue up to which the sweeper adds to it: some seconds' work for a mailer."""


def sweep(engine: Engine, queue: JobQueue, settings: Settings) -> int:
    """Dispatch what is due and give how many slices that were.

    Raises QueueAwayError or PersistenceError; nothing is lost by it.
    """
    if not queue.has_canary():
        # The broker is new or came back empty: no message that was in it will ever arrive.
        made_due = make_all_due(engine)
        if made_due.all_of_them:
            queue.leave_canary()
        log.info("broker_was_empty", undecided=made_due.slices, all_of_them=made_due.all_of_them)
    make_cancelled_due(engine)
    notice_turns(engine, settings.redispatch_first_seconds)
    return sum(_sweep_queue(engine, queue, name, settings) for name in SLICE_QUEUES)


def _sweep_queue(engine: Engine, queue: JobQueue, name: str, settings: Settings) -> int:
    # What still lies in the queue is only slow, not lost: a deep queue is hardly made deeper. But for what
    # has been due longest there is always room: its message may be lost, however many others wait.
    room = max(settings.redispatch_most_slices - queue.waiting(name), settings.redispatch_least_slices)
    backoff = Backoff(
        first_seconds=settings.redispatch_first_seconds, most_seconds=settings.redispatch_most_seconds
    )
    due = next_due_slices(engine, name, room, backoff)
    if not due:
        return 0
    failpoint("after-due")
    try:
        queue.dispatch(due, name)
    except QueueAwayError:
        give_back_slices(engine, due)
        raise
    log.info("redispatched", queue=name, slices=len(due))
    return len(due)


def sweep_mails(engine: Engine, queue: JobQueue, settings: Settings) -> int:
    """Dispatch the confirmations whose time has come, new or to be tried again; give how many those were.

    One that is in the queue already may get there twice, and the second finds that its time has not come; the
    queue's bound bounds that as well. Raises QueueAwayError or PersistenceError; nothing is lost by it.
    """
    room = MAILS_WAITING_MAX - queue.waiting(MAIL_QUEUE)
    if not settings.sends_mails or room <= 0:
        return 0
    due = due_confirmations(engine, room)
    queue.dispatch_mails(due)
    if due:
        log.debug("mails_dispatched", mails=len(due))
    return len(due)
