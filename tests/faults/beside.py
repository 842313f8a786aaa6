"""Campaigns against ordermill and the baselines side by side: as a table for a person, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Mapping[str, Any]


def _took(told: Told) -> str:
    seconds = told["recovered_seconds"]
    return "never" if seconds is None else f"{seconds:.0f} s"


def _doubled(told: Told) -> str:
    harm = told["harm"]
    if not harm["doubled"]:
        return "0"
    return (
        f"{harm['doubled']:,} ({harm['doubled_by_delivery']:,} by a task run twice, "
        f"{harm['doubled_by_repetition']:,} by a repeated request)"
    )


def _harm(name: str) -> Callable[[Told], str]:
    return lambda told: f"{told['harm'][name]:,}"


_ROWS: Mapping[str, Callable[[Told], str]] = {
    "faults (kinds)": lambda told: f"{told['fault_count']} ({len(told['faults'])})",
    "orders accepted": _harm("accepted_orders"),
    "lost: accepted, and never heard of again": _harm("lost"),
    "doubled": _doubled,
    "oversold, units": _harm("oversold_units"),
    "told no, and created all the same": _harm("denied"),
    "created, and nobody can tell": _harm("untold"),
    "rejected for the fault's sake": _harm("failed"),
    "stuck: still in a queue when time was up": _harm("stuck"),
    "jobs that never end": _harm("stuck_jobs"),
    "a batch took, median": lambda told: f"{told['job_seconds'][0]:.2f} s" if told["job_seconds"] else "",
    "a batch took, 99 % at most": lambda told: (
        f"{told['job_seconds'][1]:.1f} s" if told["job_seconds"] else ""
    ),
    "all decided after the last fault": _took,
}


def show_beside(campaigns: Mapping[str, Told], console_print: Callable[[Table], None]) -> None:
    """Print a column for each: ``campaigns`` are what ``report.as_json`` gives, by name."""
    table = Table("", *campaigns, title=_title(campaigns))
    for name, cell in _ROWS.items():
        table.add_row(name, *(cell(told) for told in campaigns.values()))
    console_print(table)


def as_markdown(campaigns: Mapping[str, Told]) -> str:
    """Give the same as a table for a README."""
    rows = [["", *campaigns], ["---", *("--:" for _ in campaigns)]]
    rows += [[name, *(cell(told) for told in campaigns.values())] for name, cell in _ROWS.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _title(campaigns: Mapping[str, Told]) -> str:
    plans = {(told["seed"], told["seconds"], told["clients"]) for told in campaigns.values()}
    return "; ".join(
        f"seed {seed}, {seconds:g} s, {clients} clients" for seed, seconds, clients in sorted(plans)
    )
