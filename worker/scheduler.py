"""The sweeper's clock: a plain loop, so that it needs nothing of what it is there to heal."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import structlog

from shared.job_queue import JobQueue, QueueAwayError
from shared.logs import configure_logging
from shared.persistence.database import open_database
from shared.persistence.errors import PersistenceError
from shared.settings import Settings
from worker.redispatch import sweep

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Sweep every ``sweep_seconds`` until SIGTERM or SIGINT."""
    configure_logging(settings, "scheduler")
    stopping = threading.Event()

    def stop(signum: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(signum).name)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    engine = open_database(settings, "scheduler")
    queue = JobQueue(settings)
    log.info("scheduler_started", sweep_seconds=settings.sweep_seconds)
    away = False
    while not stopping.wait(settings.sweep_seconds):
        try:
            sweep(engine, queue, settings)
            away = False
        except (QueueAwayError, PersistenceError) as error:
            # Told once, not every two seconds of an outage.
            (log.debug if away else log.warning)("sweep_failed", reason=str(error))
            away = True
    queue.close()
    engine.dispose()
