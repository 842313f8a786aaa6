"""stock get and stock set: what lies where, and what was counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click
import msgspec
from rich.console import Console

from cli.client.command import client_command, write_json
from cli.client.connection import LostError, RefusedError
from cli.client.goods import CountsReport, StockReport, faults_table, stock_table
from cli.client.outcomes import ALL_OK, SOME_FAILED
from cli.client.page import show_page
from cli.errors import NotDoneError
from shared.terminal_text import printable

if TYPE_CHECKING:
    from cli.client.connection import ServerConnection

_DEFAULT_LIMIT: Final = 100
_SERVERS_FAULT: Final = 500
_COUNTED: Final = 2
"""The words of one count: SKU and QTY."""


class _Row(msgspec.Struct, frozen=True):
    change: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Counts(msgspec.Struct, frozen=True):
    products: list[_Row] = []


@click.group()
def stock() -> None:
    """Show what lies where, and set what was counted."""


@stock.command()
@click.option("--sku", help="Only the item of this full SKU.")
@click.option("--ean", help="Only the item of this EAN.")
@click.option("--upc", help="Only the item of this UPC.")
@click.option("--warehouse", help="Only what this warehouse has, or had.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=_DEFAULT_LIMIT,
    show_default=True,
    help="How many items at most.",
)
@click.option("--cursor", help="Where to go on: from the page before.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, on a terminal, too.")
@client_command
def get(*, limit: int, as_json: bool, connection: ServerConnection, console: Console, **only: object) -> int:
    """Show the stock of items by warehouse: physical, allocated, available, and what orders wait for.

    A table on a terminal; in a pipe what the server answers, as JSON.
    """
    wanted = {name: value for name, value in only.items() if value is not None}
    body = connection.get(f"/v1/stock?{urlencode({'limit': limit, **wanted})}")
    page = msgspec.json.decode(body, type=StockReport)
    show_page(body, stock_table(page.products), page.next, console, as_json=as_json)
    return ALL_OK


# A change may be below 0, and -3 is no option.
@stock.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("what", metavar="FILE | SKU QTY", nargs=-1, required=True)
@click.option("--warehouse", help="Where it was counted. [default: the first warehouse]")
@click.option("--change", is_flag=True, help="QTY are units that have come or, below 0, gone.")
@click.option("--json", "as_json", is_flag=True, help="Write what the server answers, on a terminal, too.")
@client_command
def set_(
    *,
    what: tuple[str, ...],
    warehouse: str | None,
    change: bool,
    as_json: bool,
    connection: ServerConnection,
    console: Console,
) -> int:
    """Set what was counted: QTY units of the item of a full SKU, EAN or UPC, or all counts of a FILE.

    A FILE ("-" is standard input) is what POST /v1/stock takes: {"products": [{"product": "X", "quantity": 5,
    "warehouse": "Main"}]}, with "change" in place of "quantity" where units have come or gone.

    Exits with 0 when all was taken, with 1 when some counts were not, and with 2 when it could not be done.
    """
    content = _content(what, warehouse, change=change)
    body = _sent(connection, content)
    done = msgspec.json.decode(body, type=CountsReport)
    if as_json or not sys.stdout.isatty():
        write_json(body)
    else:
        _tell(done, Console(), console)
    return ALL_OK if done.status == "ok" else SOME_FAILED


def _content(what: tuple[str, ...], warehouse: str | None, *, change: bool) -> bytes:
    if len(what) == _COUNTED:
        product, units = what
        try:
            row: dict[str, object] = {"product": product, "change" if change else "quantity": int(units)}
        except ValueError:
            raise click.UsageError(f"{units!r} is no number of units; write it as 5.") from None
        return msgspec.json.encode(
            {"products": [row if warehouse is None else row | {"warehouse": warehouse}]}
        )
    if len(what) > _COUNTED or what[0].startswith("--"):
        raise click.UsageError(f"Give a FILE, or SKU and QTY; there is {' '.join(what)!r}.")
    if change or warehouse is not None:
        raise click.UsageError(
            "--change and --warehouse go with SKU and QTY; a FILE says them of each count."
        )
    return _read(what[0])


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise NotDoneError(
            f"{file} cannot be read: {error.strerror or error}. For one item give SKU and QTY."
        ) from error


def _sent(connection: ServerConnection, content: bytes) -> bytes:
    """The server's answer to counts. A change is sent once: made twice it would count twice."""
    repeatable = _repeatable(content)
    try:
        return connection.change(
            "POST", "/v1/stock", content, repeatable=repeatable, Content_Type="application/json"
        ).content
    except (LostError, RefusedError) as error:
        unknown = not isinstance(error, RefusedError) or error.status >= _SERVERS_FAULT
        if repeatable or not unknown:
            raise
        raise NotDoneError(
            f"{error.message} It may have been done all the same: look with `ordermill stock get` before you"
            " do it again."
        ) from error


def _repeatable(content: bytes) -> bool:
    try:
        rows = msgspec.json.decode(content, type=_Counts).products
    except msgspec.MsgspecError:
        # The server will say what is wrong with it, and do nothing.
        return True
    return all(row.change is msgspec.UNSET for row in rows)


def _tell(done: CountsReport, out: Console, console: Console) -> None:
    console.print(f"{done.updated:,} set, {done.unchanged:,} right already.", highlight=False)
    for one in done.raised:
        at = f" at {printable(one.warehouse)}" if one.warehouse else ""
        console.print(
            f"{printable(one.product)}{at}: orders have more than was counted; set to {one.physical_stock}.",
            markup=False,
            highlight=False,
        )
    if done.errors:
        out.print(faults_table(done.errors))
