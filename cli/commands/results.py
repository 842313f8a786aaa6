"""results: the outcomes of a job, those that are there so far."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click
import msgspec
from rich.console import Console

from cli.client.command import client_command, write_json, write_text
from cli.client.outcomes import job_exit_code, read_outcomes
from cli.client.tables import outcomes_table

if TYPE_CHECKING:
    from uuid import UUID

    from cli.client.connection import ServerConnection


_MEDIA_TYPES: Final = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--failed", is_flag=True, help="Only the orders that were rejected.")
@click.option(
    "--format",
    "as_what",
    type=click.Choice(list(_MEDIA_TYPES)),
    help="json: one object; ndjson: a line for each order; csv: a table of errors. [default: json, and on a"
    " terminal a table]",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--orders", is_flag=True, help="With what was sent beside each outcome; not as csv.")
@client_command
def results(
    *,
    job_id: UUID,
    failed: bool,
    as_what: str | None,
    as_json: bool,
    orders: bool,
    connection: ServerConnection,
    console: Console,
) -> int:
    """Write the outcomes of a job, those that are there so far.

    On a terminal they are a table; in a pipe, or with --format, they are data as the server gives it.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    if as_json and as_what not in {None, "json"}:
        raise click.UsageError(f"--json is --format json, and there is --format {as_what}; give one of them.")
    # In this order: a job that was done before its results were read has all of them.
    found = connection.job(str(job_id))
    wanted = {"status": "no"} if failed else {}
    if orders:
        wanted["include"] = "order"
    query = f"?{urlencode(wanted)}" if wanted else ""
    body = connection.get(f"/v1/jobs/{job_id}/results{query}", _MEDIA_TYPES[as_what or "json"])
    if as_what in {"ndjson", "csv"}:
        write_text(body)
    elif sys.stdout.isatty() and not (as_json or as_what or orders):
        _show(body)
    else:
        write_json(body)
    if not found.done:
        console.print(f"The job is not done: {found.pending:,} of {found.total:,} orders are pending.")
    return job_exit_code(found)


def _show(body: bytes) -> None:
    try:
        Console().print(outcomes_table(read_outcomes(body)))
    except msgspec.ValidationError:
        # The bare outcome of a single order has no keys to make a table of.
        write_json(body)
