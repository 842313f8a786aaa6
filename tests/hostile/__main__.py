"""``python -m tests.hostile``: what somebody who means harm may try, and what each of it costs.

Here is all that takes longer than a second or measures memory; the suite has the rest. To add a check: write
a generator function that is named after its rule, in the module of its kind, which does its harm, asserts
what must be so, and yields a ``Cost`` for whatever it measured, with the bound that it has to keep; name it
in CHECKS. ``ground.api(SETTING="…")`` gives it a real API, ``ground.settings()`` a database. Bounds hold on
two busy processors: rather a ratio, bytes or processor time than seconds on the wall.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from tests.hostile.bodies import what_is_refused_does_not_come_back_whole
from tests.hostile.check import Check, Result, run_check
from tests.hostile.ground import Ground, open_ground
from tests.hostile.headers import what_is_read_of_a_head_costs_next_to_nothing
from tests.hostile.memory import (
    numbers_that_are_longer_written_than_stored_cost_no_page,
    who_reads_nothing_costs_next_to_nothing,
    who_reads_slowly_costs_next_to_nothing_and_gets_everything,
)

CHECKS: Final[Sequence[Check]] = (
    what_is_refused_does_not_come_back_whole,
    what_is_read_of_a_head_costs_next_to_nothing,
    who_reads_nothing_costs_next_to_nothing,
    who_reads_slowly_costs_next_to_nothing_and_gets_everything,
    numbers_that_are_longer_written_than_stored_cost_no_page,
)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="Say which checks there are, and what they do.")
def main(names: tuple[str, ...], *, only_list: bool) -> None:
    """Do harm, and print what it cost. All checks, or those whose names hold one of NAMES.

    Exits with 1 when a bound was not kept.
    """
    chosen = chosen_checks(names)
    if only_list:
        for check in chosen:
            click.echo(f"{check.__name__}: {check.__doc__}")
        return
    console = Console(width=140)
    with open_ground() as ground:
        results = [_run(check, ground, console) for check in chosen]
    console.print(_table(results))
    sys.exit(0 if all(result.is_kept for result in results) else 1)


def chosen_checks(names: Sequence[str]) -> list[Check]:
    """The checks whose names hold one of these, or all. Raises UsageError for a name that none holds."""
    wanted = [name.replace("-", "_") for name in names]
    for name in wanted:
        if not any(name in check.__name__ for check in CHECKS):
            raise click.UsageError(f"No check is named {name!r}; --list names them all.")
    return [check for check in CHECKS if not wanted or any(name in check.__name__ for name in wanted)]


def _run(check: Check, ground: Ground, console: Console) -> Result:
    result = run_check(check, ground)
    console.print(f"{'kept' if result.is_kept else 'BROKEN'}  {result.name}  {result.seconds:.1f} s")
    if result.fault:
        console.print(result.fault, highlight=False, markup=False)
    return result


def _table(results: Sequence[Result]) -> Table:
    table = Table("check", "what", "measured", "at most", "", title="What it cost")
    for result in results:
        for cost in result.costs:
            bound = "" if cost.at_most is None else f"{cost.at_most:,.4g} {cost.unit}"
            kept = "kept" if cost.is_kept else "BROKEN"
            measured = f"{cost.value:,.4g} {cost.unit}"
            table.add_row(result.name, cost.what, measured, bound, kept if bound else "")
    return table


if __name__ == "__main__":
    main()
