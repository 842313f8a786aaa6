"""Answers as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.client.outcomes import CODE_MEANINGS
from shared.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cli.client.outcomes import JobReport, Outcome


def counts_table(counts: Mapping[int, int], *, dry_run: bool = False) -> Table:
    """Orders by code, as counts_by_code gives them, with their sum at the end."""
    told = "Nothing was created: this was a dry run." if dry_run else None
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, caption=told)
    table.add_column("code", "all", justify="right")
    table.add_column("orders", f"{sum(counts.values()):,}", justify="right")
    table.add_column("meaning")
    for code, count in counts.items():
        done = "could be created" if dry_run else "created or prepared"
        meaning = done if code == 0 else CODE_MEANINGS.get(code, "")
        table.add_row("ok" if code == 0 else str(code), f"{count:,}", meaning)
    return table


def job_table(job: JobReport) -> Table:
    """Show a job: state, counts, codes, times."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in _job_lines(job):
        table.add_row(name, escape(printable(value)))
    return table


def _job_lines(job: JobReport) -> list[tuple[str, str]]:
    lines = [
        ("job", job.id),
        *([("reference", job.reference)] if job.reference else []),
        *([("labels", _labels(job))] if job.labels else []),
        *([("dry run", "nothing was created")] if job.dry_run else []),
        ("state", f"{job.state.replace('_', ' ')}, {job.percent:g} %"),
        ("orders", f"{job.total:,}"),
        ("  ok", f"{job.ok:,}"),
        ("  failed", f"{job.failed:,}"),
        ("  pending", f"{job.pending:,}"),
    ]
    if job.cancelled:
        lines.append(("  cancelled", f"{job.cancelled:,}"))
    for code, count in sorted(job.codes.items(), key=lambda entry: int(entry[0]), reverse=True):
        lines.append((f"  code {code}", f"{count:,}  {CODE_MEANINGS.get(int(code), '')}".rstrip()))
    moments = (
        ("created", job.created_at),
        ("not before", job.not_before),
        ("started", job.started_at),
        ("finished", job.finished_at),
        ("kept until", job.expires_at),
    )
    lines.extend((name, moment) for name, moment in moments if moment)
    return lines


def _labels(job: JobReport) -> str:
    return ", ".join(f"{name}:{value}" for name, value in job.labels.items())


def job_cells(jobs: Iterable[JobReport]) -> list[list[str]]:
    """Jobs in one line each: id, state, orders, ok, failed, when it was accepted, and its reference.

    Where none has a reference there is no cell for it.
    """
    listed = list(jobs)
    referred = any(job.reference for job in listed)
    return [
        [
            printable(cell)
            for cell in (
                *(job.id, job.state, str(job.total), str(job.ok), str(job.failed), job.created_at or ""),
                *([job.reference or ""] if referred else []),
            )
        ]
        for job in listed
    ]


def jobs_table(jobs: Iterable[JobReport]) -> Table:
    """Jobs, a line each."""
    lines = job_cells(jobs)
    table = Table("job", "state", box=box.SIMPLE_HEAD)
    for name in ("orders", "ok", "failed"):
        table.add_column(name, justify="right")
    table.add_column("accepted")
    if lines and len(lines[0]) > len(table.columns):
        table.add_column("reference", overflow="fold")
    for line in lines:
        table.add_row(*map(escape, line))
    return table


def outcomes_table(outcomes: Mapping[str, Outcome]) -> Table:
    """Key, code and message of each outcome; a client's text cannot style or break the terminal."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("key", overflow="fold")
    table.add_column("code", justify="right")
    table.add_column("message", overflow="fold")
    for key, outcome in outcomes.items():
        code = "ok" if outcome.ok else str(outcome.code)
        table.add_row(Text(printable(key) or '""'), code, Text(printable(outcome.msg)))
    return table
