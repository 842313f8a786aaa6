"""Pages of lists, shown: to people as a table, to programs as the server answers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from cli.client.command import write_json
from cli.client.goods import where_to_go_on

if TYPE_CHECKING:
    from rich.table import Table


def show_page(body: bytes, table: Table, next_path: str | None, console: Console, *, as_json: bool) -> None:
    """Show a page on standard output: ``table`` on a terminal, else ``body``, as it is with ``as_json``, too.

    ``console`` tells beside the table how to go on to ``next_path``, if there is one.
    """
    if as_json or not sys.stdout.isatty():
        write_json(body)
        return
    Console().print(table)
    more = where_to_go_on(next_path)
    if more is not None:
        console.print(f"There are more: {more}", markup=False, highlight=False)
