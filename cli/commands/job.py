"""job: how far a job is; it is cancelled, or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.follow import follow
from cli.client.outcomes import ALL_OK, job_exit_code, read_job
from cli.client.tables import job_table

if TYPE_CHECKING:
    from uuid import UUID

    from cli.client.connection import ServerConnection


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.argument("action", required=False, type=click.Choice(["cancel", "delete"]))
@click.option("--watch", is_flag=True, help="Follow it until it is done.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, as JSON.")
@client_command
def job(
    *,
    job_id: UUID,
    action: str | None,
    watch: bool,
    as_json: bool,
    connection: ServerConnection,
    console: Console,
) -> int:
    """Show a job: its state, counts, codes and times; or cancel it first, or delete it.

    cancel: what is not decided yet is cancelled at once; what a worker has in hand is finished, and --watch
    waits for that. delete: of a job that is done, what was sent and its outcomes go; its orders stay.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    path = f"/v1/jobs/{job_id}"
    if action == "delete":
        connection.change("DELETE", path)
        console.print(f"{job_id} is deleted; its orders stay.", highlight=False)
        return ALL_OK
    body = connection.change("POST", f"{path}/cancel") if action == "cancel" else connection.get(path)
    if watch:
        follow(connection, read_job(body), console)
        body = connection.get(path)
    if as_json:
        write_json(body)
    else:
        Console().print(job_table(read_job(body)))
    return job_exit_code(read_job(body))
