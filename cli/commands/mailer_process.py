"""mailer-process: the process that `mailer` and `serve` supervise."""

from __future__ import annotations

import math
import socket

import click

from cli.processes.celery_process import run_celery
from cli.processes.role_settings import liveness_option, settings_with_servers
from shared.queue.job_queue import MAILER
from shared.queue.lanes import MAIL_QUEUE


@click.command(hidden=True)
@liveness_option
def mailer_process(liveness_fd: int) -> None:
    """Run a mailer that pings its supervisor."""
    settings = settings_with_servers("mailer")
    run_celery(
        settings,
        "mailer",
        liveness_fd,
        # What is fetched waits for its turn, and its turn depends on the mail server.
        held_most_seconds=math.inf,
        # It does little but wait for a server.
        pool_cls="threads",
        concurrency=settings.mail_threads,
        # Threads do not wake Celery's loop when they are done: it fetches again at its next tick, a second or
        # two later. With one message per thread that was three mails a second.
        prefetch_multiplier=25,
        queues=[MAIL_QUEUE],
        hostname=f"{MAILER}@{socket.gethostname()}",
    )
