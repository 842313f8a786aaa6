"""The worker's composition root: a Celery application with its tasks, its logging and its heartbeat."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_process_init, worker_shutting_down

from shared.logs import configure_logging
from shared.queue.job_queue import HEARTBEAT_SECONDS, JobQueue, QueueAwayError, celery_settings
from shared.settings import Settings
from worker.collector import collect_rarely
from worker.context import Lazy, open_worker_context
from worker.liveness import PING_SECONDS, Liveness
from worker.mail.context import open_mail_context
from worker.tasks import register_tasks

log = structlog.get_logger()


def create_worker_app(settings: Settings, role: str = "worker", liveness: Liveness | None = None) -> Celery:
    """The application that ``ordermill worker`` runs, and ``ordermill mailer``; ``role`` is for the log."""
    app = Celery("ordermill", set_as_current=False)
    app.conf.update(celery_settings(settings))
    stopping = threading.Event()
    register_tasks(
        app,
        Lazy(partial(open_worker_context, settings)),
        Lazy(partial(open_mail_context, settings)),
        stopping,
    )
    app.steps["consumer"].add(_heartbeat(settings, liveness))

    @setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def keep_our_logging(**_: Any) -> None:
        configure_logging(settings, role)

    @worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def leave_the_collector_little(**_: Any) -> None:
        collect_rarely()

    @worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def begin_no_more_mails(**_: Any) -> None:
        stopping.set()

    return app


def _heartbeat(settings: Settings, liveness: Liveness | None) -> type[bootsteps.StartStopStep]:
    class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
        """Beats from the loop that takes messages: a worker that is alive but takes nothing falls silent."""

        requires = frozenset({"celery.worker.consumer.tasks:Tasks"})

        def __init__(self, parent: Any, **kwargs: Any) -> None:
            super().__init__(parent, **kwargs)
            self.queue: JobQueue | None = None
            self.timers: list[Any] = []

        def start(self, parent: Any) -> None:
            self.queue = JobQueue(settings)
            self._beat(parent.hostname)
            every = parent.timer.call_repeatedly
            self.timers = [every(HEARTBEAT_SECONDS, self._beat, (parent.hostname,))]
            if liveness is not None:
                liveness.listen_in(parent.task_consumer.channel)
                liveness.ping()
                self.timers.append(every(PING_SECONDS, liveness.ping))

        def stop(self, parent: Any) -> None:
            while self.timers:
                self.timers.pop().cancel()
            if self.queue is not None:
                with suppress(QueueAwayError):  # then the beat runs out by itself
                    self.queue.end_heartbeat(parent.hostname)
                self.queue.close()
                self.queue = None

        def _beat(self, worker: str) -> None:
            if self.queue is None:
                return
            try:
                self.queue.beat(worker)
            except QueueAwayError as error:
                log.warning("heartbeat_missed", reason=str(error))

    return Heartbeat
