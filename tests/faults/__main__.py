"""The campaign: the whole stack under load while its parts are killed, and what became of every order."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tests.faults.baselines.baseline import BASELINES
from tests.faults.beside import show_beside
from tests.faults.campaign import Plan, run_campaign
from tests.faults.ordermill import open_ordermill
from tests.faults.report import as_json, show

_OURS = "ordermill"
_SUBJECTS = {_OURS: open_ordermill, **BASELINES}


@click.command()
@click.option("--seconds", type=float, help="How long things are broken; 60 by default.")
@click.option("--minutes", type=float, help="The same in minutes.")
@click.option("--seed", type=int, help="The faults and the orders of a run before; a new one by default.")
@click.option("--clients", default=4, show_default=True, type=click.IntRange(1))
@click.option("--pause", default=1.5, show_default=True, help="Seconds between two faults, on average.")
@click.option("--kind", "kinds", multiple=True, help="Do faults only whose names hold this; may be repeated.")
@click.option("--without", multiple=True, help="Do no faults whose names hold this; may be repeated.")
@click.option("--without-hostile", is_flag=True, help="Have no clients among the others that mean harm.")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    type=click.Choice(list(BASELINES)),
    help="Run against this instead of ordermill; may be repeated.",
)
@click.option("--beside", is_flag=True, help="Run against ordermill and then against every baseline.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here as well.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the logs and the journal here.")
def main(
    keep: Path | None, json_file: Path | None, beside: bool, baselines: tuple[str, ...], **planned: Any
) -> None:
    """Break things for a while, heal them, and check every promise. Exits with 1 if ordermill broke one.

    Exits with 2 when it could not be carried out.

    What a baseline breaks is counted, and no failure of the run.
    """
    plan = _plan(**planned)
    console = Console()
    told: dict[str, Any] = {}
    for name in list(_SUBJECTS) if beside else baselines or [_OURS]:
        console.print(f"{name}: seed {plan.seed}, {plan.seconds:g} s", highlight=False)
        kept = None if keep is None else keep / name if beside or len(baselines) > 1 else keep
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
        try:
            campaign = run_campaign(
                replace(plan, keep_in=kept), _SUBJECTS[name], partial(console.print, highlight=False)
            )
        except RuntimeError:
            console.print_exception()
            sys.exit(2)
        show(campaign, console)
        told[name] = as_json(campaign)
        if json_file is not None:
            json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    show_beside(told, console.print)
    sys.exit(1 if told.get(_OURS, {}).get("violations") else 0)


def _plan(**planned: Any) -> Plan:
    seconds, minutes, seed = planned["seconds"], planned["minutes"], planned["seed"]
    return Plan(
        seconds=minutes * 60 if minutes else seconds or 60.0,
        seed=secrets.randbelow(10**6) if seed is None else seed,
        clients=planned["clients"],
        pause_seconds=planned["pause"],
        kinds=planned["kinds"],
        without=planned["without"],
        hostile=not planned["without_hostile"],
    )


if __name__ == "__main__":
    main()
