"""results: the outcomes of a job, those that are there so far."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.outcomes import job_exit_code, read_outcomes, rejected_only
from cli.client.tables import outcomes_table

if TYPE_CHECKING:
    from uuid import UUID

    from cli.client.connection import ServerConnection


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--failed", is_flag=True, help="Only the orders that were rejected; a table on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="JSON on a terminal too.")
@client_command
def results(
    *, job_id: UUID, failed: bool, as_json: bool, connection: ServerConnection, console: Console
) -> int:
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
        write_json(body)
    if not found.done:
        console.print(f"The job is not done: {found.pending:,} of {found.total:,} orders are pending.")
    return job_exit_code(found)
