"""job: how far a job is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.follow import follow
from cli.client.outcomes import job_exit_code, read_job
from cli.client.tables import job_table

if TYPE_CHECKING:
    from uuid import UUID

    from cli.client.connection import ServerConnection


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--watch", is_flag=True, help="Follow it until it is done.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, as JSON.")
@client_command
def job(*, job_id: UUID, watch: bool, as_json: bool, connection: ServerConnection, console: Console) -> int:
    """Show a job: its state, counts, codes and times.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    path = f"/v1/jobs/{job_id}"
    body = connection.get(path)
    if watch:
        follow(connection, read_job(body), console)
        body = connection.get(path)
    if as_json:
        write_json(body)
    else:
        Console().print(job_table(read_job(body)))
    return job_exit_code(read_job(body))
