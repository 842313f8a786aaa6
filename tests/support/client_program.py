"""The client commands, run in this process against a small server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from tests.support.small_server import KEY, SmallServer

if TYPE_CHECKING:
    from pathlib import Path

    import click

FINE = {"products": [{"sku": "BRASS-LAMP", "qty": 1}]}
"""An order that the small server creates."""

GONE = {"products": [{"sku": "RED-STOOL", "qty": 1}], "code": -2}
"""One that it rejects."""


def run(
    server: SmallServer, command: click.Command, *args: str, stdin: bytes = b"", key: str = KEY
) -> Result:
    """Run a command that finds the server and its key in the environment."""
    environ = {"ORDERMILL_URL": server.url, "ORDERMILL_API_KEY": key}
    return CliRunner().invoke(command, args, input=stdin, env=environ)


def last_line(result: Result) -> str:
    """The last line that a command wrote to standard error."""
    return result.stderr.splitlines()[-1]


def batch_file(tmp_path: Path, batch: object, name: str = "orders.json") -> str:
    """Write a batch to a file; gives its path."""
    path = tmp_path / name
    path.write_text(json.dumps(batch), encoding="utf-8")
    return str(path)
