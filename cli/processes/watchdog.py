"""The watchdog of a child: what is done when its pings stop, and when it keeps dying."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings

log = structlog.get_logger()

OFTEN_DEATHS = 3
"""Deaths in quick succession after which the messages are under suspicion."""
FIRST_PING_SECONDS = 60.0
"""How long a process may take to start on a machine that has other things to do."""


@dataclass(frozen=True, kw_only=True)
class Watchdog:
    """What a child owes us beside being alive: pings through a pipe; it gets its end as ``--liveness-fd``."""

    timeout_seconds: float
    """How long it may send none before it is replaced."""
    excused: Callable[[], bool]
    """Whether there is a reason for their absence that a new process would not do away with."""
    dies_often: Callable[[], None]
    """Told of each death in quick succession from the third on."""


def queue_watchdog(settings: Settings) -> Watchdog:
    """The watchdog of a process that takes messages."""
    return Watchdog(
        timeout_seconds=settings.worker_silence_seconds,
        excused=partial(_queue_away, settings),
        dies_often=partial(_quarantine_queues, settings),
    )


def loop_watchdog(settings: Settings) -> Watchdog:
    """The watchdog of a process that goes round in a loop; what is in its way would not be in a new one's."""
    return Watchdog(
        timeout_seconds=settings.scheduler_silence_seconds, excused=lambda: False, dies_often=lambda: None
    )


def _queue_away(settings: Settings) -> bool:
    # A supervisor lives as long as what it supervises, and would hold Celery all the time for this.
    from shared.queue.job_queue import JobQueue, QueueAwayError  # noqa: PLC0415 - for the reason above

    with closing(JobQueue(settings)) as queue:
        try:
            queue.ping()
        except QueueAwayError:
            return True
        return False


def _quarantine_queues(settings: Settings) -> None:
    """A message that ends whoever takes it would be put back, to end the next one; so all of them go.

    The database has all that they stood for, and the scheduler dispatches it anew.
    """
    from shared.queue.job_queue import JobQueue, QueueAwayError  # noqa: PLC0415 - as in _queue_away

    with closing(JobQueue(settings)) as queue:
        try:
            kept = queue.quarantine()
        except QueueAwayError as error:
            log.warning("queues_not_quarantined", reason=str(error))
        else:
            log.error("queues_quarantined", reason="workers keep dying", messages_are_in=kept)
