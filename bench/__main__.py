"""``python -m bench``: run the scenarios and print what was measured, as ratios."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from bench.beside_waited import single_beside_waited
from bench.dry_runs import dry_runs
from bench.ground import open_ground
from bench.jobs import cancelling, following, looking_at_jobs, reading_results, retrying
from bench.profile import Profile
from bench.programs import Programs
from bench.rivals import CeleryPerOrder, CopyLimit, Direct, Limit, Ordermill
from bench.run import LONG, QUICK, Results, Runners, Seeds, Size
from bench.scenarios import (
    growing_batches,
    large_batches,
    shapes,
    single_orders,
    small_beside_big,
    where_time_goes,
)

SCENARIOS = (
    large_batches,
    where_time_goes,
    dry_runs,
    shapes,
    growing_batches,
    single_orders,
    small_beside_big,
    single_beside_waited,
    looking_at_jobs,
    cancelling,
    retrying,
    reading_results,
    following,
)


@click.command()
@click.option("--quick", is_flag=True, help="Under a minute: fewer rounds, no batch of 100,000.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures there, too.")
@click.option("--results", type=click.Path(path_type=Path), help="Draw the plots into this directory.")
def main(*, quick: bool, json_file: Path | None, results: Path | None) -> None:
    """Measure ordermill beside its alternatives and the limit, in one run on this machine."""
    console = Console(stderr=True)
    measured = measure(QUICK if quick else LONG, console.print)
    show(measured)
    figures = as_json(measured)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if results is not None:
        from bench.plots import draw  # noqa: PLC0415 - matplotlib is in the bench extra only

        results.mkdir(parents=True, exist_ok=True)
        (results / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        draw(measured, results)


def measure(size: Size, tell: object) -> Results:
    """Start everything, run the scenarios, and stop everything."""
    say = tell if callable(tell) else print
    results, seeds = Results(), Seeds()
    with open_ground() as ground, Programs() as programs:
        say("starting the servers and everybody's processes")
        ours = Ordermill(ground, programs, worker_processes=2)
        runners = Runners(
            limit=Limit(ground),
            direct=Direct(ground, programs),
            celery=CeleryPerOrder(ground, programs),
            ours=ours,
            ours_alone=Ordermill(ground, programs, worker_processes=1),
            copy_limit=CopyLimit(ground, ours),
        )
        for rival in runners.over_http:
            rival.await_ready()
        for rival in runners.over_http:
            rival.run_batch(20, seeds())  # connections, caches, imports
        for scenario in SCENARIOS:
            scenario(runners, size, results, seeds, say)
    return results


def show(results: Results) -> None:
    """Print the figures and the goals."""
    console = Console(file=sys.stdout, width=110)
    figures = Table("figure", "unit", "median", "min", "max", title="Measured")
    for one in results.figures:
        values = (one.median, min(one.values), max(one.values))
        figures.add_row(one.name, one.unit, *(f"{value:,.4g}" for value in values))
    goals = Table("ratio of medians", "measured", "goal", "", title="Goals")
    for goal in results.goals:
        bound = f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"
        goals.add_row(goal.name, f"{goal.ratio:.3g}", bound, "met" if goal.met else "missed")
    console.print(figures)
    console.print(goals)
    for profile in results.profiles:
        console.print(_profile(profile))


def _profile(profile: Profile) -> Table:
    table = Table("", "share", title=f"Where the time goes: {profile.name}, {profile.seconds:.1f} s")
    whole = sum(profile.cpu_micros.values())
    for part, micros in profile.cpu_micros.items():
        table.add_row(f"processors: {part}", f"{micros / whole:.0%}")
    for wait, share in profile.waits.items():
        table.add_row(f"transactions wait for {wait}", f"{share:.0%}")
    return table


def as_json(results: Results) -> dict[str, object]:
    """All that was measured, with the machine and the moment."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "figures": [{**asdict(one), "median": one.median} for one in results.figures],
        "profiles": [asdict(profile) for profile in results.profiles],
        "goals": [{**asdict(goal), "met": goal.met} for goal in results.goals],
    }


def machine() -> dict[str, object]:
    """What it was measured on."""
    cpu = Path("/proc/cpuinfo")
    models = [line for line in cpu.read_text().splitlines() if "model name" in line] if cpu.exists() else []
    return {
        "cpu": models[0].partition(": ")[2] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
