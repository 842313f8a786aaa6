"""How long modules and bodies are, and how much of what others may use is documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.house.tree import Source

MODULE_LINES_MAX: Final = 300
BODY_LINES_MAX: Final = 40
TABLE_PREPARED_LINES_MAX: Final = 8
"""Beside its one statement, a table may have so many lines that prepare it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True)
class Body:
    """What a function does, without its docstring."""

    name: str
    lines: int
    is_table: bool
    """Whether it is one statement, however long: rows that are listed, and nothing done in between."""


def bodies(sources: Sequence[Source]) -> Iterator[Body]:
    """Every function's body."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, Function):
                rest = node.body[1:] if ast.get_docstring(node) is not None else node.body
                lines = (rest[-1].end_lineno or 0) - rest[0].lineno + 1 if rest else 0
                yield Body(f"{source.name}.{node.name}", lines, _is_table(rest))


def _is_table(statements: Sequence[ast.stmt]) -> bool:
    """Whether next to all of it is one statement without branches: rows, and what little they need."""
    longest = max(statements, key=_lines, default=None)
    return (
        isinstance(longest, ast.Return | ast.Assign | ast.AnnAssign | ast.Expr)
        and sum(map(_lines, statements)) - _lines(longest) <= TABLE_PREPARED_LINES_MAX
    )


def _lines(statement: ast.stmt) -> int:
    return (statement.end_lineno or statement.lineno) - statement.lineno + 1


def undocumented(sources: Sequence[Source]) -> tuple[list[str], int]:
    """What is public and says nothing of itself; and how much is public in all."""
    silent: list[str] = []
    public = 0
    for source in sources:
        for name, node in _public(source.name, source.tree):
            public += 1
            if ast.get_docstring(node) is None:
                silent.append(name)
    return silent, public


def _public(name: str, node: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Documented]]:
    yield name, node
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(f"{name}.{child.name}", child)
        elif isinstance(child, Function) and not child.name.startswith("_"):
            yield f"{name}.{child.name}", child
