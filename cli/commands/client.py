"""submit, job and results: the commands of a client.

Standard output carries data only; tables about it, bars and sentences go to standard error.
"""

from __future__ import annotations

import functools
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from cli.client.connection import Connection
from cli.client.follow import follow
from cli.client.hand_in import batch_key, hand_in
from cli.client.outcomes import (
    ALL_OK,
    counts_by_code,
    exit_code,
    job_exit_code,
    read_job,
    read_outcomes,
    rejected_only,
)
from cli.client.tables import counts_table, job_table, outcomes_table
from cli.client.upload import open_upload
from cli.errors import NotDoneError
from shared.settings import load_client_settings
from shared.terminal_text import printable_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

DEFAULT_URL = "http://127.0.0.1:8000"


def _client_command(command: Callable[..., int]) -> Callable[..., None]:
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
        with Connection(url or settings.url or DEFAULT_URL, key, tell) as connection:
            try:
                code = command(*args, connection=connection, console=console, **kwargs)
            except msgspec.MsgspecError as error:
                raise NotDoneError(f"{connection.url} does not answer as ordermill does: {error}.") from error
            except KeyboardInterrupt:
                raise NotDoneError("Stopped.") from None
        click.get_current_context().exit(code)

    return connected


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
@click.option("--again", is_flag=True, help="Make a new job, even of a file that was handed in before.")
@_client_command
def submit(  # noqa: PLR0913 - one for each option
    *,
    file: str,
    wait: bool,
    ndjson: bool,
    as_json: bool,
    idempotency_key: str | None,
    again: bool,
    connection: Connection,
    console: Console,
) -> int:
    """Post a batch of orders and write its outcomes.

    FILE holds one JSON object {key: order, ...}; "-" is standard input, and a name ending in .ndjson
    or .jsonl is sent as lines of JSON. The outcomes go to standard output exactly as the server gave
    them, a table of their counts to standard error.

    A large batch becomes a job, which is followed until it is done. With --no-wait it is only handed in:
    its id goes to standard output, for `ordermill job ID` and `ordermill results ID`.

    A file is known by its content: the same again, after Ctrl-C or a lost answer, finds the job that is
    there, says so and ends as the first time, for as long as the server keeps that job. With --again it
    is a new job, and makes every order once more. The key and the job's id go to standard error.

    Exits with 0 when every order succeeded (or the job was handed in), with 1 when some failed, and with
    2 when it could not be done.
    """
    if again and idempotency_key is not None:
        raise click.UsageError("--again makes a key of its own; give it or --idempotency-key, not both.")
    try:
        upload = open_upload(file, ndjson=ndjson)
        key = batch_key(upload, idempotency_key, anew=again)
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
    _write(body)
    outcomes = read_outcomes(body)
    if not as_json:
        console.print(counts_table(counts_by_code(outcomes)))
    return exit_code(outcomes)


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--watch", is_flag=True, help="Follow it until it is done.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, as JSON.")
@_client_command
def job(*, job_id: UUID, watch: bool, as_json: bool, connection: Connection, console: Console) -> int:
    """Show a job: its state, counts, codes and times.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    path = f"/v1/jobs/{job_id}"
    body = connection.get(path)
    if watch:
        follow(connection, read_job(body), console)
        body = connection.get(path)
    if as_json:
        _write(body)
    else:
        Console().print(job_table(read_job(body)))
    return job_exit_code(read_job(body))


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--failed", is_flag=True, help="Only the orders that were rejected; a table on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="JSON on a terminal too.")
@_client_command
def results(*, job_id: UUID, failed: bool, as_json: bool, connection: Connection, console: Console) -> int:
    """Write the outcomes of a job, those that are there so far.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    # In this order: a job that was done before its results were read has all of them.
    found = connection.job(str(job_id))
    body = connection.get(f"/v1/jobs/{job_id}/results")
    if failed:
        body = rejected_only(body)
    if failed and sys.stdout.isatty() and not as_json:
        Console().print(outcomes_table(read_outcomes(body)))
    else:
        _write(body)
    if not found.done:
        console.print(f"The job is not done: {found.pending:,} of {found.total:,} orders are pending.")
    return job_exit_code(found)


def _write_handed_in(body: bytes, *, as_json: bool) -> None:
    if as_json:
        _write(body)
        return
    found = read_job(body)
    click.echo(found.id)
    click.echo(f"It has {found.total:,} orders. `ordermill job {found.id} --watch` follows them.", err=True)


def _write(body: bytes) -> None:
    """Write JSON to standard output byte for byte; to a terminal so that no text in it can steer it."""
    if sys.stdout.isatty():
        click.echo(printable_json(body))
    else:
        click.echo(body, nl=False)
