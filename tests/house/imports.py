"""Who imports whom, imports for types included; and where that goes round in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from tests.house.tree import Source


def imported(source: Source, known: frozenset[str]) -> Iterator[str]:
    """The modules of ``known`` that a file names in its imports, wherever in it they stand."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                if inside in known:
                    yield inside
                elif node.module in known:
                    yield node.module


def import_graph(sources: Sequence[Source]) -> dict[str, set[str]]:
    """Each module, and those of the others that it imports."""
    known = frozenset(source.name for source in sources)
    return {source.name: set(imported(source, known)) - {source.name} for source in sources}


def cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that import each other in a circle, each sorted."""
    reach = {name: _reached(graph, name) for name in graph}
    found = {frozenset(other for other in there if name in reach[other]) for name, there in reach.items()}
    return sorted(sorted(one) for one in found if one)


def _reached(graph: Mapping[str, set[str]], name: str) -> set[str]:
    there: set[str] = set()
    ahead = list(graph[name])
    while ahead:
        one = ahead.pop()
        if one not in there:
            there.add(one)
            ahead += graph[one]
    return there
