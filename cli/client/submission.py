"""A file of keyed elements, handed in and followed to its end: orders, shipments or cancellations."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from cli.client.command import write_json
from cli.client.follow import follow
from cli.client.hand_in import batch_key, hand_in
from cli.client.outcomes import ALL_OK, counts_by_code, exit_code, read_job, read_outcomes
from cli.client.tables import counts_table
from cli.client.upload import open_upload
from cli.errors import NotDoneError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client.connection import ServerConnection


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """A file, what it is posted to, and how; ``idempotency_key`` None: it is known by its content."""

    file: str
    path: str
    ndjson: bool
    wait: bool
    as_json: bool
    again: bool
    idempotency_key: str | None = None
    dry_run: bool = False


def submit_file(connection: ServerConnection, console: Console, sent: SentFile) -> int:
    """Post a file and write its outcomes, or hand it in and write its job's id. Gives the exit code.

    Raises NotDoneError.
    """
    try:
        upload = open_upload(sent.file, ndjson=sent.ndjson)
        key = batch_key(upload, sent.idempotency_key, anew=sent.again, path=sent.path)
        job_id, answer = hand_in(connection, console, upload, key, wait=sent.wait)
    except OSError as error:
        raise NotDoneError(f"{sent.file} cannot be read: {error.strerror or error}.") from error
    at_once = answer.status_code != HTTPStatus.ACCEPTED
    if not sent.wait:
        # What was handed in before and is done is answered with its outcomes; its job is what is asked for.
        accepted = connection.get(f"/v1/jobs/{job_id}") if at_once else answer.content
        _write_handed_in(accepted, as_json=sent.as_json)
        return ALL_OK
    if not at_once:
        follow(connection, read_job(answer.content), console)
    body = answer.content if at_once else connection.get(f"/v1/jobs/{job_id}/results")
    write_json(body)
    outcomes = read_outcomes(body)
    if not sent.as_json:
        console.print(counts_table(counts_by_code(outcomes), dry_run=sent.dry_run))
    return exit_code(outcomes)


def _write_handed_in(body: bytes, *, as_json: bool) -> None:
    if as_json:
        write_json(body)
        return
    found = read_job(body)
    click.echo(found.id)
    click.echo(f"It has {found.total:,} orders. `ordermill job {found.id} --watch` follows them.", err=True)
