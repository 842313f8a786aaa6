"""Watching a job until every order has its outcome."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from cli.errors import NotDoneError
from shared.domain.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from cli.client.connection import ServerConnection
    from cli.client.outcomes import JobReport

_BACKOFF = Backoff(first_seconds=0.1, most_seconds=1.0, factor=1.3)


@contextmanager
def sending_bar(console: Console, size: int) -> Iterator[Callable[[int], None]]:
    """Show a bar over the bytes of an upload; only on a terminal."""
    with _bar(console, DownloadColumn()) as bar:
        task = bar.add_task("sending", total=size)
        yield lambda done: bar.update(task, completed=done)


def follow(connection: ServerConnection, job: JobReport, console: Console) -> JobReport:
    """Wait until ``job`` is done and return its last state; a bar on a terminal shows the way.

    The server tells each change as long as it does; whenever it does not, it is asked now and then.
    """
    looks, is_told, latest = 0, True, job
    with _bar(console, MofNCompleteColumn()) as bar, _stopped_by_hand(job):
        task = bar.add_task("deciding", total=job.total, completed=job.decided)
        while not latest.done:
            events, is_told = connection.job_events(job.id) if is_told else iter(()), False
            for latest in events:
                is_told = True
                bar.update(task, completed=latest.decided)
            if not latest.done:
                looks += 1
                time.sleep(_BACKOFF.after(looks))
                latest = connection.job(job.id)
                bar.update(task, completed=latest.decided)
    return latest


def _bar(console: Console, counts: ProgressColumn) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:8}"),
        BarColumn(),
        counts,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def _stopped_by_hand(job: JobReport) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise NotDoneError(
            f"Stopped watching; the job goes on. `ordermill job {job.id} --watch` watches it again."
        ) from None
    except NotDoneError as error:
        raise NotDoneError(f"{error.message} The job is {job.id}.") from error
