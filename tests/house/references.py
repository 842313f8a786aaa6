"""What code and pages cite: sections of our documents, files, folders, and names in files.

A section is cited as "contract §6", several as "contract §2 and 3"; a name in a file as ``path::name``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from tests.house.tree import ROOT, files, pages, read, sources

_SECTIONS = re.compile(r"(?:(\w+) )?§ ?(\d+(?:\.\d+)?)?((?:, \d+)*(?:,? (?:and|to) \d+)?)")
_PATH = re.compile(
    r"(?<![\w./~{$-])((?:api|worker|shared|cli|bench|tests|docs|\.ci)/[\w./*-]*[\w*]|[\w-]+\.(?:md|toml|yml))"
    r"(?:::(\w+(?:\.\w+)*))?"
)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
_CITED: Final = frozenset({"contract", "architecture"})
"""Pages with numbered sections."""


def dangling() -> list[str]:
    """Every citation that leads nowhere, as ``file: what``."""
    found: list[str] = []
    for path, text in _texts():
        found += [f"{path}: {cited}" for cited in (*lost_sections(text), *lost_paths(path, text))]
    return sorted(set(found))


def _texts() -> Iterator[tuple[str, str]]:
    """Whatever may cite: pages in full, of the code its comments and docstrings."""
    yield from pages().items()
    for source in sources():
        yield source.path, "\n".join([*source.docstrings, *(comment for _, comment in source.comments)])


def lost_sections(text: str) -> Iterator[str]:
    """What is cited of our pages by a number that no section there has."""
    for found in _SECTIONS.finditer(text):
        page, first, further = found.groups()
        there = sections((page or "").lower())
        if first is None or not {first, *re.findall(r"\d+", further)} <= there:
            yield found[0]


@cache
def sections(page: str) -> frozenset[str]:
    """The numbers of a page's sections; none where pages of that name have none."""
    return frozenset(_HEADING.findall(read(f"docs/{page}.md"))) if page in _CITED else frozenset()


def lost_paths(citing: str, text: str) -> Iterator[str]:
    """Paths, names in files, and links that are cited in the text of a file and do not exist."""
    for found in _PATH.finditer(text):
        path, name = found.groups()
        if not _is_there(citing, path) or (name and not _is_defined(path, name)):
            yield found[0]
    if citing.endswith(".md"):
        folder = (ROOT / citing).parent
        yield from (f"({link})" for link in _LINK.findall(text) if not (folder / link).exists())


def _is_there(citing: str, path: str) -> bool:
    if "*" in path:
        return any(ROOT.glob(path))
    return (ROOT / path).exists() or (ROOT / citing).parent.joinpath(path).exists()


def _is_defined(path: str, name: str) -> bool:
    """Whether a file defines a name, or a class of it the attribute behind the dot."""
    if path not in files():
        return False
    body: list[ast.stmt] = ast.parse(read(path)).body
    for part in name.split("."):
        there = {defined: node for node in body for defined in _defines(node)}
        if part not in there:
            return False
        node = there[part]
        body = node.body if isinstance(node, ast.ClassDef) else []
    return True


def _defines(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign | ast.Assign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
