"""The scheduler of periodic tasks: a plain loop, so that it needs nothing that it heals."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Engine

from shared.logs import configure_logging
from shared.persistence.core.database import open_database
from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.kept_bodies import empty_bodies
from shared.persistence.jobs.prune import prune_jobs
from shared.persistence.jobs.requested_numbers import release_numbers
from shared.persistence.orders.cancel import cancel_expired
from shared.persistence.orders.change_feed import begin_anew
from shared.queue.job_queue import JobQueue, QueueAwayError
from shared.settings import Settings
from shared.signal_wakeup import signal_wakeup
from worker.maintenance.finish import FinishEndedJobs
from worker.maintenance.redispatch import sweep, sweep_mails

log = structlog.get_logger()

PING_SECONDS = 1.0
"""How often the watcher hears at least that the loop goes round."""

PRUNED_AT_ONCE = 1_000
"""Slices in one transaction of pruning, about."""

RELEASED_AT_ONCE = 10_000
"""Order numbers of done jobs that are released in one transaction: some tens of milliseconds."""

CANCELLED_AT_ONCE = 500
"""Prepared orders that are cancelled in one transaction, which holds their vouchers."""


@dataclass
class PeriodicTask:
    """Something to be done every so often; several schedulers may do it at once."""

    name: str
    every_seconds: float
    do: Callable[[], int]
    """Does it, and gives how much there was to do."""
    until_done: bool = False
    """Whether it is done again at once as long as there was something to do, in turn with the others."""
    next_at: float = 0.0
    away: bool = False

    def run(self) -> None:
        """Do it. A server that is away is told once, not at every turn of an outage."""
        found = 0
        try:
            found = self.do()
            self.away = False
        except (QueueAwayError, PersistenceError) as error:
            told = log.debug if self.away else log.warning
            told("periodic_task_failed", task=self.name, reason=str(error))
            self.away = True
        self.next_at = time.monotonic() + (0 if self.until_done and found else self.every_seconds)


def periodic_tasks(engine: Engine, queue: JobQueue, settings: Settings) -> list[PeriodicTask]:
    """All that the scheduler sees to."""
    return [
        PeriodicTask("sweep", settings.sweep_seconds, partial(sweep, engine, queue, settings)),
        PeriodicTask("mails", settings.sweep_seconds, partial(sweep_mails, engine, queue, settings)),
        PeriodicTask("finish", settings.sweep_seconds, FinishEndedJobs(engine)),
        PeriodicTask("changes", settings.sweep_seconds, partial(_begin_feed_anew, engine)),
        # A backlog of a million jobs must not keep lost slices waiting.
        PeriodicTask("prune", settings.prune_seconds, partial(_prune, engine), until_done=True),
        PeriodicTask(
            "bodies", settings.prune_seconds, partial(_empty_bodies, engine, settings), until_done=True
        ),
        PeriodicTask(
            "numbers",
            settings.prune_seconds,
            partial(release_numbers, engine, RELEASED_AT_ONCE),
            until_done=True,
        ),
        PeriodicTask(
            "prepared", settings.prune_seconds, partial(_cancel_expired, engine, settings), until_done=True
        ),
    ]


def _begin_feed_anew(engine: Engine) -> int:
    anew = begin_anew(engine)
    if anew:
        log.warning("change_feed_begun_anew", reason="the database is on another server than before")
    return int(anew)


def _prune(engine: Engine) -> int:
    pruned = prune_jobs(engine, PRUNED_AT_ONCE)
    if pruned:
        log.info("jobs_pruned", jobs=pruned)
    return pruned


def _empty_bodies(engine: Engine, settings: Settings) -> int:
    emptied = empty_bodies(engine, settings.bodies_days, PRUNED_AT_ONCE)
    if emptied:
        log.info("bodies_emptied", jobs=emptied)
    return emptied


def _cancel_expired(engine: Engine, settings: Settings) -> int:
    if not settings.prepared_hours:
        return 0
    reason = f"nobody completed it within {settings.prepared_hours:g} hours"
    cancelled = cancel_expired(engine, settings.prepared_hours, CANCELLED_AT_ONCE, reason)
    if cancelled:
        log.info("prepared_orders_cancelled", orders=cancelled)
    return cancelled


def run(settings: Settings, liveness_fd: int | None = None) -> None:
    """Run the periodic tasks until SIGTERM or SIGINT.

    After each a byte goes through ``liveness_fd`` to whoever watches: a server that hangs may keep a task
    for ever, where no limit of ours reaches, and a new process is not kept by it.
    """
    configure_logging(settings, "scheduler")
    if liveness_fd is not None:
        os.set_blocking(liveness_fd, False)
    with _stop_signals() as told_to_stop:
        engine = open_database(settings, "scheduler", needs_schema=True)
        queue = JobQueue(settings)
        log.info("scheduler_started", sweep_seconds=settings.sweep_seconds)
        if not settings.sends_mails:
            log.warning("mails_wait", reason="neither SMTP_URL nor MAIL_DIR is set")
        keep_doing(periodic_tasks(engine, queue, settings), told_to_stop, partial(_ping, liveness_fd))
        log.info("stopping")
        queue.close()
        engine.dispose()


def keep_doing(
    tasks: Sequence[PeriodicTask],
    told_to_stop: Callable[[float], bool],
    ping: Callable[[], None] = lambda: None,
) -> None:
    """Do each task when its time has come, until ``told_to_stop``, which waits so many seconds, says so.

    ``ping`` is called every second or so, and after each task.
    """
    while True:
        for task in tasks:
            if task.next_at <= time.monotonic():
                task.run()
            ping()
            if told_to_stop(0):
                return
        soonest = min(task.next_at for task in tasks)
        if told_to_stop(min(max(0.05, soonest - time.monotonic()), PING_SECONDS)):
            return


def _ping(descriptor: int | None) -> None:
    if descriptor is not None:
        # A watcher that does not read has heard enough.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(descriptor, b".")


@contextmanager
def _stop_signals() -> Iterator[Callable[[float], bool]]:
    """Give what waits for SIGTERM or SIGINT, so many seconds at most, and says whether one has come.

    The handlers do nothing, neither log nor set an event: they may have interrupted whoever holds the lock.
    """
    with signal_wakeup() as ready:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        # What has come is never read, so it stays said.
        yield lambda seconds: bool(select.select([ready], [], [], seconds)[0])
