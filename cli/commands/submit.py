"""submit: post a file of keyed orders and write its outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.client.batch_options import batch_options, batch_path
from cli.client.command import client_command
from cli.client.submission import SentFile, submit_file

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client.connection import ServerConnection


def _printable_ascii(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    # HTTP has no other letters for it.
    if value is not None and not (value and value.isascii() and value.isprintable()):
        raise click.BadParameter(f"{value!r} is no key; give printable ASCII characters.")
    return value


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--wait/--no-wait", default=True, help="Follow the job to its end, or only hand it in. [default: wait]"
)
@click.option("--ndjson", is_flag=True, help="The file is lines of JSON, whatever its name.")
@click.option("--json", "as_json", is_flag=True, help="Data only: no table beside it, and a job as JSON.")
@click.option(
    "--idempotency-key",
    metavar="KEY",
    callback=_printable_ascii,
    help="The batch is known by this key, and not by its content.",
)
@batch_options
@click.option("--again", is_flag=True, help="Make a new job, even of a file that was handed in before.")
@client_command
def submit(  # noqa: PLR0913 - one for each option
    *,
    file: str,
    wait: bool,
    ndjson: bool,
    as_json: bool,
    idempotency_key: str | None,
    again: bool,
    connection: ServerConnection,
    console: Console,
    **options: Any,
) -> int:
    """Post a batch of orders and write its outcomes.

    FILE holds one JSON object {key: order, ...}; "-" is standard input, and a name ending in .ndjson
    or .jsonl is sent as lines of JSON. The outcomes go to standard output exactly as the server gave
    them, a table of their counts to standard error. With --dry-run nothing is created: they are as they would
    be now.

    A large batch becomes a job, which is followed until it is done. With --no-wait it is only handed in:
    its id goes to standard output, for `ordermill job ID` and `ordermill results ID`; so it is with
    --not-before.

    A file is known by its content: the same again, after Ctrl-C or a lost answer, finds the job that is
    there, says so and ends as the first time, for as long as the server keeps that job. With --again, or
    with other options, it is a new job, and makes every order once more. The key and the job's id go to
    standard error.

    Exits with 0 when every order succeeded (or the job was handed in), with 1 when some failed, and with
    2 when it could not be done.
    """
    if again and idempotency_key is not None:
        raise click.UsageError("--again makes a key of its own; give it or --idempotency-key, not both.")
    # It may be days until there is anything to follow.
    wait = wait and options["not_before"] is None
    sent = SentFile(
        file=file,
        path=batch_path(options),
        ndjson=ndjson,
        wait=wait,
        as_json=as_json,
        again=again,
        idempotency_key=idempotency_key,
        dry_run=options["dry_run"],
    )
    return submit_file(connection, console, sent)
