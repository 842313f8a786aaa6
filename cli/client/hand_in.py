"""Handing in a batch: under which Idempotency-Key, and what is told of its job before anybody waits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import click

from cli.client.connection import BATCH_PATH, LostError, RefusedError
from cli.client.follow import sending_bar
from cli.errors import NotDoneError

if TYPE_CHECKING:
    import httpx
    from rich.console import Console

    from cli.client.connection import ServerConnection
    from cli.client.upload import Upload


@dataclass(frozen=True)
class BatchKey:
    """An Idempotency-Key, how its batch is found ``again``, and how the same file is made another one.

    ``path`` is what the batch is posted to.
    """

    value: str
    again: str
    another: str
    path: str = BATCH_PATH


class HandedIn(NamedTuple):
    """The job's id, and the server's answer: a 200 carries the outcomes, a 202 the job."""

    job_id: str
    answer: httpx.Response


def batch_key(upload: Upload, given: str | None, *, anew: bool, path: str = BATCH_PATH) -> BatchKey:
    """Choose the key: the one that is ``given``, a new one, or else the one that this content always has.

    A file that is handed in for something else, under another ``path``, is another batch.
    """
    if given is None and not anew:
        digest = sha256(f"POST {path}\n{upload.content_type}\n".encode() + upload.sha256)
        value, again = f"submit-{digest.hexdigest()}", "The same command again"
    else:
        value = str(uuid.uuid4()) if given is None else given
        again = f"The same with --idempotency-key {value}"
    another = "--again makes a new one" if given is None else "another --idempotency-key makes a new one"
    return BatchKey(value, f"{again} finds its job, and hands it in if there is none.", another, path)


def hand_in(
    connection: ServerConnection, console: Console, upload: Upload, key: BatchKey, *, wait: bool
) -> HandedIn:
    """Post a batch, and tell its key before and its job after. Raises NotDoneError, OSError of the file."""
    click.echo(f"Idempotency-Key: {key.value}", err=True)
    try:
        with sending_bar(console, upload.size) as sent:
            answer = connection.post_batch(
                upload, wait=wait, idempotency_key=key.value, path=key.path, sent=sent
            )
    except KeyboardInterrupt:
        raise NotDoneError(f"Stopped; the batch may have been accepted all the same. {key.again}") from None
    except LostError as error:
        raise NotDoneError(
            f"{error.message} The batch may have been accepted all the same. {key.again}"
        ) from error
    except RefusedError as error:
        if error.status != HTTPStatus.GONE:
            raise
        raise NotDoneError(
            f"{error.message} The batch was handed in before; {key.another}, with every order once more."
        ) from error
    job_id = job_id_of(connection, answer)
    click.echo(f"Job: {job_id}", err=True)
    if answer.headers.get("Idempotent-Replayed") == "true":
        click.echo(f"The batch was handed in before: that is its job. {_sentence(key.another)}", err=True)
    return HandedIn(job_id, answer)


def job_id_of(connection: ServerConnection, answer: httpx.Response) -> str:
    """Which job an answer is of, whether it carries the job or its outcomes. Raises NotDoneError."""
    # A proxy may have put its own address before the path.
    last = urlsplit(answer.headers.get("Location", "")).path.rpartition("/")[2]
    try:
        return str(uuid.UUID(last))
    except ValueError as error:
        raise NotDoneError(f"{connection.url} does not answer as ordermill does: it names no job.") from error


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
