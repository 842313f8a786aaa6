"""job: how far a job is; it is cancelled, retried or deleted."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.follow import follow
from cli.client.hand_in import job_id_of
from cli.client.outcomes import ALL_OK, job_exit_code, read_job
from cli.client.retry import RetryOptions
from cli.client.tables import job_table

if TYPE_CHECKING:
    from uuid import UUID

    from cli.client.connection import ServerConnection


@click.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.argument("action", required=False, type=click.Choice(["cancel", "retry", "delete"]))
@click.option("--code", "codes", type=int, multiple=True, help="retry: orders rejected with this code.")
@click.option("--reason", "reasons", multiple=True, help="retry: orders rejected for this reason.")
@click.option("--key", "keys", multiple=True, help="retry: the order under this key.")
@click.option("--all", "everything", is_flag=True, help="retry: all that were rejected.")
@click.option(
    "--orders",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="retry: corrected orders, {key: order, ...}, in the place of what was sent.",
)
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
    **chosen: Any,
) -> int:
    """Show a job: its state, counts, codes and times; or cancel it first, retry or delete it.

    cancel: what is not decided yet is cancelled at once; what a worker has in hand is finished, and --watch
    waits for that. retry: a new job of orders that were rejected, those that are retryable unless told
    otherwise, under the same keys; it is shown in the place of this one. delete: of a job that is done, what
    was sent and its outcomes go; its orders stay.

    Exits with 0 when all its orders succeeded, with 1 when some failed, and with 2 when it is not done.
    """
    path = f"/v1/jobs/{job_id}"
    retry = RetryOptions(**chosen)
    if retry.given and action != "retry":
        raise click.UsageError(f"{retry.given[0]} chooses what to retry: `ordermill job ID retry …`.")
    if action == "delete":
        connection.change("DELETE", path)
        console.print(f"{job_id} is deleted; its orders stay.", highlight=False)
        return ALL_OK
    if action == "retry":
        answer = connection.change(
            "POST",
            f"{path}/retry",
            retry.body(),
            Content_Type="application/json",
            Prefer="respond-async",
            Idempotency_Key=str(uuid4()),
        )
        path = f"/v1/jobs/{job_id_of(connection, answer)}"
        # Asked again after a lost answer, the server gives the outcomes of a job that is done meanwhile.
        body = answer.content if answer.status_code == HTTPStatus.ACCEPTED else connection.get(path)
    elif action == "cancel":
        body = connection.change("POST", f"{path}/cancel").content
    else:
        body = connection.get(path)
    if watch:
        follow(connection, read_job(body), console)
        body = connection.get(path)
    if as_json:
        write_json(body)
    else:
        Console().print(job_table(read_job(body)))
    return job_exit_code(read_job(body))
