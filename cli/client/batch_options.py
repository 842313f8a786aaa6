"""The options of a batch on the command line: what is asked for beside its orders, as query parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import click

from cli.client.connection import BATCH_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

C = TypeVar("C", bound="Callable[..., Any]")

_PARAMETERS = {
    "dry_run": "validateOnly",
    "atomic": "atomic",
    "ordered": "ordered",
    "unique_keys": "uniqueKeys",
    "max_failed": "maxFailed",
    "not_before": "notBefore",
    "labels": "label",
    "reference": "reference",
}
"""The parameter of each option. The server says what is wrong with their values."""


_OPTIONS = (
    click.option("--reference", metavar="TEXT", help="What you call the batch; its job tells it."),
    click.option(
        "--label",
        "labels",
        metavar="NAME:VALUE",
        multiple=True,
        help="A label of the job, to find it by; may be given up to 16 times.",
    ),
    click.option(
        "--not-before",
        metavar="MOMENT",
        help="Decide nothing sooner, as 2027-01-31T06:00:00+01:00. The batch is only handed in then.",
    ),
    click.option(
        "--max-failed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Cancel the job as soon as more than N orders are rejected.",
    ),
    click.option(
        "--atomic",
        is_flag=True,
        help="Make all orders, or none where one is rejected.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Decide the orders on the stock, vouchers and numbers of now, and create nothing.",
    ),
    click.option(
        "--unique-keys",
        is_flag=True,
        help="Make no second order under a key that has one, in whatever file it was sent.",
    ),
    click.option(
        "--ordered",
        is_flag=True,
        help="Decide the orders in the order of the file: scarce stock goes to the first. Takes longer.",
    ),
)
"""The last one stands first in the help."""


def batch_options(command: C) -> C:
    """Give a command the options of a batch, which go into its keyword arguments."""
    for option in _OPTIONS:
        command = option(command)
    return command


def batch_path(options: Mapping[str, Any]) -> str:
    """Where a batch with these options is posted: the same for the same, and so its key is."""
    asked = [
        (name, "true" if one is True else one)
        for option, name in _PARAMETERS.items()
        for one in _values(options[option])
    ]
    return f"{BATCH_PATH}?{urlencode(asked)}" if asked else BATCH_PATH


def _values(given: Any) -> tuple[Any, ...]:
    if isinstance(given, tuple):
        return given
    return () if given is None or given is False else (given,)
