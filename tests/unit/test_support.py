"""What the tests share is in tests/support and in conftest.py, and lies where the source lies."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
PROGRAMS = ("tests.faults.", "tests.hostile.", "tests.house.", "tests.mutants.")
"""They have tests of their own."""


def _files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("*.py"))


def _named(path: Path) -> Iterator[str]:
    """The modules of tests that a file imports, type-only imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.startswith("tests."))


def _foreign(folder: str, *may_name: str) -> list[str]:
    return [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in _files(folder)
        for module in _named(path)
        if not module.startswith(("tests.support.", *may_name))
    ]


@pytest.mark.parametrize("folder", ["support", "integration"])
def test_integration_tests_share_nothing_but_support(folder: str) -> None:
    assert _foreign(folder) == []


def test_faults_share_nothing_with_integration_tests_but_support() -> None:
    assert _foreign("faults", "tests.faults.") == []


@pytest.mark.parametrize("folder", ["unit", "e2e"])
def test_no_test_borrows_from_another(folder: str) -> None:
    assert _foreign(folder, *PROGRAMS) == []


def test_unit_tests_lie_in_the_folders_of_the_source() -> None:
    unit = TESTS / "unit"
    folders = {path.parent.relative_to(unit) for path in _files("unit")}

    assert [str(folder) for folder in sorted(folders) if not (TESTS.parent / folder).is_dir()] == []
