"""orders show, list, ship and cancel: orders as they are now, and taken further."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import click
import msgspec
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.goods import OrderReport, OrdersReport, lines_table, order_table, orders_table
from cli.client.outcomes import ALL_OK
from cli.client.page import show_page
from cli.client.submission import SentFile, submit_file
from cli.errors import NotDoneError
from shared.domain.order import MOST_NUMBER
from shared.domain.order_list import LISTED_STATES, ORDER_STATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.client.connection import ServerConnection

_DEFAULT_LIMIT = 20

C = TypeVar("C", bound="Callable[..., Any]")


class _Found(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]


@click.group()
def orders() -> None:
    """Show, list, ship and cancel orders."""


@orders.command()
@click.argument("number", metavar="NUMBER", type=click.IntRange(1, MOST_NUMBER))
@click.option("--json", "as_json", is_flag=True, help="Write the order as JSON on a terminal, too.")
@client_command
def show(*, number: int, as_json: bool, connection: ServerConnection, **_: object) -> int:
    """Show the order of this NUMBER, with what was sold by the names of its day.

    A table on a terminal; in a pipe the order as JSON, as the server tells it.
    """
    found = msgspec.json.decode(connection.get(f"/v1/orders?order={number}"), type=_Found).orders
    if not found:
        raise NotDoneError(f"No order has number {number}, or this key may not see it.")
    if as_json or not sys.stdout.isatty():
        write_json(bytes(found[0]) + b"\n")
        return ALL_OK
    order = msgspec.json.decode(found[0], type=OrderReport)
    out = Console()
    out.print(order_table(order))
    out.print(lines_table(order.products))
    return ALL_OK


@orders.command("list")
@click.option(
    "--state",
    metavar="STATES",
    help=f"Only orders in one of these, with commas between them: {', '.join(ORDER_STATES)}."
    f" [default: {','.join(LISTED_STATES)}]",
)
@click.option("--key", help="Only orders with this key in their batch.")
@click.option("--job", type=click.UUID, help="Only orders that came from this job.")
@click.option("--po-number", "poNumber", help="Only orders with this purchase order number.")
@click.option("--email", help="Only orders of the customer of this e-mail.")
@click.option("--customer-id", "customer_id", type=click.IntRange(1), help="Only orders of this customer.")
@click.option("--newer-than", "newer_than", metavar="WHEN", help="Only orders made at this moment or later.")
@click.option("--older-than", "older_than", metavar="WHEN", help="Only orders made before this moment.")
@click.option(
    "--modified-after", "modifiedAfter", metavar="WHEN", help="Only orders changed at this moment or later."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=_DEFAULT_LIMIT,
    show_default=True,
    help="How many at most.",
)
@click.option("--cursor", help="Where to go on: from the page before.")
@click.option("--offset", type=click.IntRange(0), help="How many of the newest to leave out.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, on a terminal, too.")
@client_command
def list_(
    *, limit: int, as_json: bool, connection: ServerConnection, console: Console, **only: object
) -> int:
    """List orders, newest first.

    A table on a terminal; in a pipe what the server answers, as JSON.
    """
    # A key may be the empty string.
    wanted = {name: value for name, value in only.items() if value is not None}
    body = connection.get(f"/v1/orders?{urlencode({'limit': limit, **wanted})}")
    page = msgspec.json.decode(body, type=OrdersReport)
    show_page(body, orders_table(page.orders), page.next, console, as_json=as_json)
    return ALL_OK


def _file_options(command: C) -> C:
    """Give a command a file and how it is handed in."""
    for option in (
        click.option("--again", is_flag=True, help="Make a new job, even of a file that was sent before."),
        click.option("--json", "as_json", is_flag=True, help="Data only: no table beside it."),
        click.option("--ndjson", is_flag=True, help="The file is lines of JSON, whatever its name."),
        click.option("--wait/--no-wait", default=True, help="Follow the job to its end, or only hand it in."),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True)),
    ):
        command = option(command)
    return command


@orders.command()
@_file_options
@client_command
def ship(*, connection: ServerConnection, console: Console, **how: Any) -> int:
    """Record what has left of orders, and write the outcomes.

    FILE holds one JSON object of shipments, {key: {"order": number, ...}, ...}, as `ordermill submit` takes
    orders: the same file again finds the job that is there.
    """
    return submit_file(connection, console, SentFile(path="/v1/shipments", **how))


@orders.command()
@_file_options
@client_command
def cancel(*, connection: ServerConnection, console: Console, **how: Any) -> int:
    """Cancel orders, and write the outcomes.

    FILE holds one JSON object of cancellations, {key: {"order": number, "reason": ...}, ...}, as `ordermill
    submit` takes orders: the same file again finds the job that is there.
    """
    return submit_file(connection, console, SentFile(path="/v1/cancellations", **how))
