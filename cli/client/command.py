"""Client command: what `submit`, `job` and `results` share, from their options to what they write.

Standard output carries data only; tables about it, bars and sentences go to standard error.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from cli.client.connection import ServerConnection
from cli.errors import NotDoneError
from shared.settings import load_client_settings
from shared.terminal_text import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_URL = "http://127.0.0.1:8000"


def client_command(command: Callable[..., int]) -> Callable[..., None]:
    """Give a command --url and --api-key, and in their place a ``connection`` and a ``console`` on stderr.

    What it returns becomes the exit code.
    """

    @click.option("--url", help=f"The server. [default: ORDERMILL_URL, else {DEFAULT_URL}]")
    @click.option("--api-key", help="A key of that server. [default: ORDERMILL_API_KEY]")
    @functools.wraps(command)
    def connected(*args: Any, url: str | None, api_key: str | None, **kwargs: Any) -> None:
        settings = load_client_settings()
        key = api_key or settings.api_key
        if not key:
            raise click.UsageError(
                "No API key: give --api-key or set ORDERMILL_API_KEY. `ordermill keys create` makes one."
            )
        console = Console(stderr=True)
        tell = functools.partial(click.echo, err=True)
        with ServerConnection(url or settings.url or DEFAULT_URL, key, tell) as connection:
            try:
                code = command(*args, connection=connection, console=console, **kwargs)
            except msgspec.MsgspecError as error:
                raise NotDoneError(f"{connection.url} does not answer as ordermill does: {error}.") from error
            except KeyboardInterrupt:
                raise NotDoneError("Stopped.") from None
        click.get_current_context().exit(code)

    return connected


def write_json(body: bytes) -> None:
    """Write JSON to standard output byte for byte; to a terminal so that no text in it can steer it."""
    if sys.stdout.isatty():
        click.echo(printable_json(body))
    else:
        click.echo(body, nl=False)


def write_text(body: bytes) -> None:
    """Write text in the same way: to a terminal so that nothing in its lines can steer it."""
    if sys.stdout.isatty():
        for line in body.decode("utf-8-sig").splitlines():
            click.echo(printable(line))
    else:
        click.echo(body, nl=False)
