"""The manual's SQL runs on the tables that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

DOCS = Path(__file__).parents[2] / "docs"
# What makes a server of one's own, before any table of ours is there.
_BEFORE = ("CREATE ROLE", "CREATE DATABASE")


def statements() -> Iterator[str]:
    for page in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"^```sql\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            parts = (re.sub(r"^--.*\n", "", part.strip(), flags=re.MULTILINE) for part in block.split(";\n"))
            yield from (part for part in parts if part and not part.startswith(_BEFORE))


@pytest.mark.parametrize("statement", list(statements()), ids=lambda statement: statement.partition("\n")[0])
def test_every_statement_of_the_manual_runs(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.execute(text(statement))
        connection.rollback()


def test_the_manual_asks_for_undecided_slices_and_for_mails() -> None:
    assert [
        table for table in ("slices", "confirmations") if not any(table in one for one in statements())
    ] == []
