"""How a command says that it could not do what it was asked: one sentence, and exit code 2."""

from __future__ import annotations

import click


class NotDoneError(click.ClickException):
    """Nothing was done; the message says why and what to do."""

    exit_code = 2
