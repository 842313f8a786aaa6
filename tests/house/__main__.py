"""``python -m tests.house``: how the code stands to the laws, and where a retired word is left."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from tests.house.report import measures
from tests.house.words import RETIRED


@click.command()
@click.option("--word", help="Say in which files names have this retired word still.")
def main(word: str | None) -> None:
    """Measure modules, functions, imports, words, citations and suppressions, and print what they come to."""
    console = Console(width=150)
    if word is None:
        table = Table("measured", "now", "wanted", title="The house")
        for row in measures():
            table.add_row(*row)
        console.print(table, markup=False)
        return
    for retired in RETIRED:
        if retired.word == word:
            for path, count in retired.found().most_common():
                console.print(f"{count:5} {path}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
