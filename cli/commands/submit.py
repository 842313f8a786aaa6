"""submit: post a file of keyed orders and write its outcomes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click

from cli.client.batch_options import batch_options, batch_path
from cli.client.command import client_command, write_json
from cli.client.follow import follow
from cli.client.hand_in import batch_key, hand_in
from cli.client.outcomes import ALL_OK, counts_by_code, exit_code, read_job, read_outcomes
from cli.client.tables import counts_table
from cli.client.upload import open_upload
from cli.errors import NotDoneError

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
    try:
        upload = open_upload(file, ndjson=ndjson)
        key = batch_key(upload, idempotency_key, anew=again, path=batch_path(options))
        job_id, answer = hand_in(connection, console, upload, key, wait=wait)
    except OSError as error:
        raise NotDoneError(f"{file} cannot be read: {error.strerror or error}.") from error
    at_once = answer.status_code != HTTPStatus.ACCEPTED
    if not wait:
        # What was handed in before and is done is answered with its outcomes; its job is what is asked for.
        accepted = connection.get(f"/v1/jobs/{job_id}") if at_once else answer.content
        _write_handed_in(accepted, as_json=as_json)
        return ALL_OK
    if not at_once:
        follow(connection, read_job(answer.content), console)
    body = answer.content if at_once else connection.get(f"/v1/jobs/{job_id}/results")
    write_json(body)
    outcomes = read_outcomes(body)
    if not as_json:
        console.print(counts_table(counts_by_code(outcomes), dry_run=options["dry_run"]))
    return exit_code(outcomes)


def _write_handed_in(body: bytes, *, as_json: bool) -> None:
    if as_json:
        write_json(body)
        return
    found = read_job(body)
    click.echo(found.id)
    click.echo(f"It has {found.total:,} orders. `ordermill job {found.id} --watch` follows them.", err=True)
