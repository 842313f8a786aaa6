"""jobs list: the jobs of a client, newest first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.outcomes import ALL_OK, read_job_list
from cli.client.tables import job_cells, jobs_table
from shared.domain.job import JobState
from shared.domain.kinds import JobKind

if TYPE_CHECKING:
    from cli.client.connection import ServerConnection

_STATES = [state.value for state in JobState]
_KINDS = [kind.value for kind in JobKind]
_DEFAULT_LIMIT = 20


@click.group()
def jobs() -> None:
    """List jobs."""


@jobs.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only jobs in this state.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only jobs of this kind.")
@click.option(
    "--label", multiple=True, metavar="NAME:VALUE", help="Only jobs with this label; with all of several."
)
@click.option("--reference", metavar="TEXT", help="Only jobs that are called so.")
@click.option("--failed", is_flag=True, help="Only jobs of which an order was rejected.")
@click.option(
    "--limit",
    type=click.IntRange(1, 200),
    default=_DEFAULT_LIMIT,
    show_default=True,
    help="How many at most.",
)
@click.option("--after", type=click.UUID, help="Only jobs behind this one: the last that was listed.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, as JSON.")
@client_command
def list_(
    *, limit: int, as_json: bool, connection: ServerConnection, console: Console, **only: object
) -> int:
    """List jobs, newest first: id, state, orders, ok, failed, when each was accepted, and its reference.

    A table on a terminal; in a pipe a line for each, its cells apart by tabs.
    """
    wanted = {name: "true" if value is True else value for name, value in only.items() if value}
    body = connection.get(f"/v1/jobs?{urlencode({'limit': limit, **wanted}, doseq=True)}")
    found = read_job_list(body)
    if as_json:
        write_json(body)
    elif sys.stdout.isatty():
        Console().print(jobs_table(found.jobs))
    else:
        for cells in job_cells(found.jobs):
            click.echo("\t".join(cells))
    if found.next is not None and not as_json:
        console.print(f"There are more: --after {found.jobs[-1].id}", highlight=False)
    return ALL_OK
