"""Errors of a command: one sentence of what it could not do, and exit code 2."""

from __future__ import annotations

import click

from shared.terminal_text import printable_lines


class NotDoneError(click.ClickException):
    """Nothing was done; the message says why and what to do."""

    exit_code = 2

    def format_message(self) -> str:
        """The message as it is written: texts of files and servers in it cannot steer the terminal."""
        return printable_lines(self.message)
