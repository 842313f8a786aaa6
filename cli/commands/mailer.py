"""mailer: the sender of confirmations alone, supervised. Its process is `mailer-process`."""

from __future__ import annotations

import sys

import click

from cli.errors import NotDoneError
from cli.processes.role_settings import settings_with_servers
from cli.processes.run_supervised import run_supervised
from worker.mail.context import open_post


@click.command()
def mailer() -> None:
    """Run the mailer alone: it sends the confirmations. One is enough, MAIL_THREADS says how many at once.

    Not a task of the workers: a mail server that is slow or away must not keep an order waiting.
    """
    settings = settings_with_servers("mailer")
    # Said once and here, not by a process that would be started again and again.
    if open_post(settings) is None:
        raise NotDoneError(
            "`ordermill mailer` needs SMTP_URL and MAIL_FROM, or MAIL_DIR, in its environment."
        )
    sys.exit(run_supervised(settings, "mailer"))
