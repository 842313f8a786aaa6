"""catalog load and catalog export: the catalog file into the database, and out of it.

Standard output carries data only; bars, tables and faults go to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import orjson
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from cli.database import data_dir_option, database
from cli.errors import NotDoneError
from cli.system.atomic_write import atomic_write
from shared.domain.catalog_file import CatalogRefusedError, LoadSummary
from shared.domain.catalog_file import Progress as Tell
from shared.persistence.catalog.export import exported_lists
from shared.persistence.catalog.load import load_catalog
from shared.schemas.catalog import catalog_text, read_catalog
from shared.settings import load_settings
from shared.terminal_text import printable, printable_json


@click.group()
def catalog() -> None:
    """Load the catalog: items, prices, stock, markets and what orders refer to. Or write it to a file."""


@catalog.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), required=False)
@click.option("--demo", is_flag=True, help="Load the sample catalog that comes with this program.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@data_dir_option
def load(file: str | None, demo: bool, as_json: bool, data_dir: Path) -> None:
    """Load a catalog FILE ("-" is standard input), all of it or nothing.

    Rows are known by their names, items by their SKUs: new ones are inserted, of the others changes what the
    file names. What it does not name stays, null clears, and loading it twice changes nothing. Stock is not
    set below what orders have taken already; such rows are counted.
    """
    if (file is None) is not demo:
        raise click.UsageError("Give a FILE, or --demo for the sample catalog.")
    name, raw = _read(file)
    zone = ZoneInfo(load_settings().organisation_timezone)
    console = Console(stderr=True)
    try:
        with _bar(console) as tell:
            # Before the database is opened, or even started: a file that is no JSON needs none to be refused.
            checked = read_catalog(raw, zone, tell)
            with database(data_dir) as (_, engine):
                summary = load_catalog(engine, checked, tell)
    except CatalogRefusedError as error:
        told = "\n".join(f"  {line}" for line in error.told())
        things = "thing is" if len(error.faults) == 1 else "things are"
        raise NotDoneError(
            f"{name} is not loaded, nothing is changed: {len(error.faults):,} {things} wrong.\n{told}"
        ) from error
    if as_json:
        click.echo(orjson.dumps(_as_json(summary)))
    else:
        console.print(_table(summary))
    for line in _kept(summary):
        click.echo(printable(line), err=True)


@catalog.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@data_dir_option
def export(file: Path, data_dir: Path) -> None:
    """Write the whole catalog as a FILE that loads back the same (standard output by default)."""
    to_standard_output = str(file) == "-"
    target = nullcontext(sys.stdout.buffer) if to_standard_output else atomic_write(file)
    with database(data_dir) as (_, engine), exported_lists(engine) as lists, target as out:
        chunks = catalog_text(lists)
        out.writelines(map(printable_json, chunks) if to_standard_output and sys.stdout.isatty() else chunks)
        out.flush()


def sample_catalog() -> bytes:
    """The sample catalog that comes with this program."""
    return (files("cli") / "samples" / "catalog.json").read_bytes()


def _read(file: str | None) -> tuple[str, bytes]:
    if file is None:
        return "the sample catalog", sample_catalog()
    if file == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return file, Path(file).read_bytes()
    except OSError as error:
        raise NotDoneError(f"{file} cannot be read: {error.strerror or error}.") from error


@contextmanager
def _bar(console: Console) -> Iterator[Tell]:
    """A bar on a terminal, which is gone at the end; nothing elsewhere."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:15}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def tell(step: str, done: int, total: int) -> None:
            # A step of which only the beginning is known moves without a measure.
            bar.update(task, description=step, completed=done, total=total if total > 1 else None)

        yield tell


def _table(summary: LoadSummary) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("list")
    for column in ("inserted", "changed", "unchanged"):
        table.add_column(column, justify="right")
    for name, count in summary.counts.items():
        if count.inserted or count.changed or count.unchanged:
            table.add_row(name, f"{count.inserted:,}", f"{count.changed:,}", f"{count.unchanged:,}")
    return table


def _kept(summary: LoadSummary) -> list[str]:
    lines = []
    if summary.kept_stock:
        more = ", …" if summary.kept_stock > len(summary.kept_stock_skus) else ""
        lines.append(
            f"Stock of {summary.kept_stock:,} rows was not set below what orders have taken, but to that:"
            f" {', '.join(summary.kept_stock_skus)}{more}"
        )
    if summary.kept_vouchers:
        lines.append(f"Used more often than the file allows: {', '.join(summary.kept_vouchers)}")
    return lines


def _as_json(summary: LoadSummary) -> dict[str, Any]:
    return {
        "changed": summary.changed,
        "version": summary.version,
        "lists": summary.counts,
        "keptAtAllocated": {"count": summary.kept_stock, "skus": summary.kept_stock_skus},
        "keptAtUsed": summary.kept_vouchers,
    }
