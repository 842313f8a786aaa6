"""Break one guard after another, in a copy, and see whether the tests notice: a test of the tests."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import UNBROKEN_LIMIT_SECONDS, CannotMutateError, Mutant, Run, copied_tree, run


@click.command()
@click.option("--only", multiple=True, help="Mutants whose names hold this; may be repeated.")
@click.option("--unbroken/--no-unbroken", default=True, help="First run all the tests with nothing broken.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the findings here as well.")
def main(only: tuple[str, ...], unbroken: bool, json_file: Path | None) -> None:
    """Exits with 1 if a mutant survives, with 2 if nothing can be said of one."""
    console = Console()
    chosen = [one for one in MUTANTS if not only or any(word in one.name for word in only)]
    if unbroken:
        _must_pass(chosen, console)
    runs = {}
    for mutant in chosen:
        runs[mutant.name] = _try(mutant)
        console.print(f"{_verdict(runs[mutant.name]):9} {mutant.name}", markup=False, highlight=False)
    table = Table("mutant", "", "seconds", "noticed by")
    for name, one in runs.items():
        table.add_row(name, _verdict(one), f"{one.seconds:.0f}", _short(one.said))
    console.print(table)
    if json_file is not None:
        told = {
            name: {"verdict": _verdict(one), "seconds": one.seconds, "said": one.said}
            for name, one in runs.items()
        }
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    console.print(f"{len(runs)} mutants, {sum(one.found for one in runs.values())} killed")
    if any(one.broken for one in runs.values()):
        sys.exit(2)
    sys.exit(0 if all(one.found for one in runs.values()) else 1)


def _must_pass(chosen: list[Mutant], console: Console) -> None:
    """A mutant that is found by a test which always fails has not been found."""
    with copied_tree() as tree:
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        nothing = Mutant("nothing", [], tests)
        whole = run(nothing, tree, UNBROKEN_LIMIT_SECONDS) if tests else Run(found=False, seconds=0, said="")
        for campaign in {tuple(mutant.campaign) for mutant in chosen if mutant.campaign}:
            if not (whole.found or whole.broken):
                whole = replace(run(Mutant("nothing", [], campaign=campaign), tree), seconds=whole.seconds)
    if whole.found or whole.broken:
        console.print(f"with nothing broken the tests fail: {whole.said}", markup=False)
        sys.exit(2)
    console.print(f"with nothing broken they pass, in {whole.seconds:.0f} s", highlight=False)


def _try(mutant: Mutant) -> Run:
    with copied_tree() as tree:
        try:
            for change in mutant.changes:
                change.apply(tree)
        except CannotMutateError as error:
            return Run(found=False, seconds=0, said=str(error), broken=True)
        return run(mutant, tree)


def _verdict(one: Run) -> str:
    if one.broken:
        return "unclear"
    return "killed" if one.found else "SURVIVES"


def _short(said: str) -> str:
    return said.removeprefix("FAILED ").partition(" - ")[0].rpartition("::")[2] or said[:80]


if __name__ == "__main__":
    main()
