"""Celery process: the process of a worker or a mailer, which a supervisor has started."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, NoReturn

from shared.logs import configure_logging
from shared.settings import Settings
from worker.app import create_worker_app
from worker.liveness import Liveness


def run_celery(
    settings: Settings, role: str, liveness_fd: int, *, held_most_seconds: float, **options: Any
) -> NoReturn:
    """Take messages until SIGTERM, and exit as Celery says; ``options`` are those of its worker."""
    configure_logging(settings, role)
    # It warns of pickled messages, and we accept none.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    running = create_worker_app(settings, role, Liveness(liveness_fd, held_most_seconds)).Worker(
        **options,
        loglevel=logging.getLogger().level,
        # Workers of ours have nothing to tell one another; the database knows all.
        without_gossip=True,
        without_mingle=True,
        # No banner: log lines only.
        quiet=True,
    )
    running.start()
    sys.exit(running.exitcode)
