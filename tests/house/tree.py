"""The tree as the laws see it: which files there are, what they hold, and whom they import."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("api", "worker", "shared", "cli")
"""Where the program stands; the rest is about it."""
NOT_OF_THE_HOUSE: Final = ("shared/persistence/migrations/",)
"""Scripts that Alembic loads by path: each is done once, and never touched again."""


@dataclass(frozen=True)
class Source:
    """A Python file."""

    path: str
    """Below the root, with slashes."""
    text: str

    @property
    def name(self) -> str:
        """Its name as a module; that of a package for an ``__init__``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_program(self) -> bool:
        """Whether it is part of what is installed, and no migration."""
        return self.path.startswith(tuple(f"{room}/" for room in ROOMS)) and not self.path.startswith(
            NOT_OF_THE_HOUSE
        )

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def tokens(self) -> Sequence[tokenize.TokenInfo]:
        """Its tokens."""
        return tuple(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @cached_property
    def names(self) -> Counter[str]:
        """How often it has which name, texts and comments aside; ``name()`` too where that is called so."""
        words = [one.string for one in self.tokens if one.type in {tokenize.NAME, tokenize.OP}]
        called = (
            f"{name}()"
            for name, *rest in zip(words, words[1:], words[2:], strict=False)
            if rest == ["(", ")"]
        )
        return Counter([*re.split(r"[./]", self.name), *words, *called])

    @property
    def docstrings(self) -> Iterator[str]:
        """Its docstrings."""
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, documented))
        return (text for text in map(ast.get_docstring, nodes) if text)

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        """Its comments, each with its line."""
        return ((t.start[0], t.string) for t in self.tokens if t.type == tokenize.COMMENT)


@cache
def files() -> tuple[str, ...]:
    """Every file that is in the repository or could be, below the root."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return tuple(sorted(one for one in listed.stdout.split("\0") if one and (ROOT / one).is_file()))
    # A copy without git's own folder. Whatever else begins with a point is an environment's or a cache's.
    found = (one.relative_to(ROOT) for one in ROOT.rglob("*") if one.is_file())
    ours = (one for one in found if len(one.parts) == 1 or one.parts[0] == ".ci" or one.parts[0][0] != ".")
    return tuple(sorted(one.as_posix() for one in ours if "__pycache__" not in one.parts))


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file."""
    return tuple(Source(path, read(path)) for path in files() if path.endswith(".py"))


@cache
def program() -> tuple[Source, ...]:
    """Every Python file of what is installed, without migrations."""
    return tuple(source for source in sources() if source.is_program)


@cache
def pages() -> dict[str, str]:
    """Every page of the documentation by its path."""
    return {path: read(path) for path in files() if path.endswith(".md")}


def read(path: str) -> str:
    """Give the text of a file below the root."""
    return (ROOT / path).read_text(encoding="utf-8")
