"""The campaign: the whole mill under load while its parts are killed, and what became of every order."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tests.faults.campaign import Plan, run_campaign
from tests.faults.report import as_json, show


@click.command()
@click.option("--seconds", type=float, help="How long things are broken; 60 by default.")
@click.option("--minutes", type=float, help="The same in minutes.")
@click.option("--seed", type=int, help="The faults and the orders of a run before; a new one by default.")
@click.option("--clients", default=4, show_default=True, type=click.IntRange(1))
@click.option("--pause", default=1.5, show_default=True, help="Seconds between two faults, on average.")
@click.option("--kind", "kinds", multiple=True, help="Do faults only whose names hold this; may be repeated.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here as well.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the logs and the journal here.")
def main(keep: Path | None, json_file: Path | None, **planned: Any) -> None:
    """Break things for a while, heal them, and check every promise. Exits with 1 if one was broken."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    seconds, minutes, seed = planned["seconds"], planned["minutes"], planned["seed"]
    plan = Plan(
        seconds=minutes * 60 if minutes else seconds or 60.0,
        seed=secrets.randbelow(10**6) if seed is None else seed,
        clients=planned["clients"],
        pause_seconds=planned["pause"],
        kinds=planned["kinds"],
        keep_in=keep,
    )
    console = Console()
    console.print(f"seed {plan.seed}, {plan.seconds:g} s")
    campaign = run_campaign(plan)
    show(campaign, console)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(campaign), indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if campaign.violations else 0)


if __name__ == "__main__":
    main()
