"""numbers next and numbers start-at: where the automatic order numbers go on."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from cli.database import data_dir_option, database
from cli.errors import NotDoneError
from shared.domain.order import MOST_NUMBER
from shared.persistence.orders.numbers import NumberStart, next_number, start_numbers_at


@click.group()
def numbers() -> None:
    """Show where automatic order numbers go on, or have them go on elsewhere."""


@numbers.command("next")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@data_dir_option
def next_(as_json: bool, data_dir: Path) -> None:
    """Write the next automatic order number.

    An order gets it unless it is taken: numbers of orders that there are, and those that batches ask for, are
    stepped around.
    """
    with database(data_dir) as (_, engine):
        number = next_number(engine)
    click.echo(orjson.dumps({"next": number}) if as_json else number)


@numbers.command("start-at")
@click.argument("number", metavar="N", type=click.IntRange(1, MOST_NUMBER))
@click.option(
    "--backwards", is_flag=True, help="Also to before the next number, onto numbers that are used perhaps."
)
@click.option("--json", "as_json", is_flag=True, help="Write what was done as JSON.")
@data_dir_option
def start_at(number: int, backwards: bool, as_json: bool, data_dir: Path) -> None:
    """Have automatic order numbers go on at N.

    Do it before old orders are loaded that have numbers of their own: begin behind the greatest of them.
    """
    with database(data_dir) as (_, engine):
        start = start_numbers_at(engine, number, backwards=backwards)
    if number < start.before and not start.moved:
        raise NotDoneError(
            f"The next automatic number is {start.before}, and {number} lies before it; nothing is changed."
            f" {_taken(start)} --backwards goes back all the same."
        )
    if as_json:
        click.echo(orjson.dumps({"next": number, "before": start.before, "taken": start.taken}))
        return
    done = f"(before: {start.before})" if start.moved else "as they did"
    click.echo(f"Automatic order numbers go on at {number} {done}.", err=True)
    if start.taken:
        click.echo(_taken(start), err=True)


def _taken(start: NumberStart) -> str:
    if not start.taken:
        return f"No order has a number from {start.number} on."
    orders = "1 order has a number" if start.taken == 1 else f"{start.taken:,} orders have numbers"
    return f"{orders} from {start.number} on; automatic ones step around them."
